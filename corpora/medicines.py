"""What is known about a medicine: the closed attribute vocabulary and the records made of it.

Two-level as in MedicineQA (arXiv 2404.17897): a `Medicine` (every dosage form its own entity) has one text
an `Attribute`; a `Passage` is such a text, or a part of a long one with its offsets.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Attribute(StrEnum):
    """The closed vocabulary that every source maps onto. Values are the words used in files and output."""

    INDICATIONS = "indications"
    DOSAGE = "dosage"
    CONTRAINDICATIONS = "contraindications"
    ADVERSE_REACTIONS = "adverse_reactions"
    INTERACTIONS = "interactions"
    PRECAUTIONS = "precautions"
    STORAGE = "storage"
    PREGNANCY_LACTATION = "pregnancy_lactation"
    CHILDREN = "children"
    ELDERLY = "elderly"
    OVERDOSE = "overdose"
    BOXED_WARNING = "boxed_warning"
    COMPOSITION = "composition"
    PHARMACOLOGY = "pharmacology"
    DESCRIPTION = "description"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The English label, for people."""
        return _LABELS[self][0]

    @property
    def label_zh(self) -> str:
        """The Chinese label, for people."""
        return _LABELS[self][1]


_LABELS: dict[Attribute, tuple[str, str]] = {
    Attribute.INDICATIONS: ("Indications", "适应症"),
    Attribute.DOSAGE: ("Dosage and administration", "用法用量"),
    Attribute.CONTRAINDICATIONS: ("Contraindications", "禁忌"),
    Attribute.ADVERSE_REACTIONS: ("Adverse reactions", "不良反应"),
    Attribute.INTERACTIONS: ("Interactions", "药物相互作用"),
    Attribute.PRECAUTIONS: ("Warnings and precautions", "注意事项"),
    Attribute.STORAGE: ("Storage", "贮藏"),
    Attribute.PREGNANCY_LACTATION: ("Pregnancy and breastfeeding", "孕妇及哺乳期妇女用药"),
    Attribute.CHILDREN: ("Use in children", "儿童用药"),
    Attribute.ELDERLY: ("Use in older people", "老年用药"),
    Attribute.OVERDOSE: ("Overdose", "药物过量"),
    Attribute.BOXED_WARNING: ("Boxed warning", "警示语"),
    Attribute.COMPOSITION: ("Composition and forms", "成份"),
    Attribute.PHARMACOLOGY: ("Pharmacology", "药理毒理"),
    Attribute.DESCRIPTION: ("Description", "性状"),
    Attribute.OTHER: ("Other information", "其他"),
}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceRef(_Record):
    """Where a text comes from, precisely enough to look it up again."""

    name: str
    """The source's short name: `openfda`, `monographs-zh`, `passages`, `table`, `essential`."""
    id: str
    """The document's id in that source. For openFDA and the shipped corpus: the label's `set_id`."""
    version: str | None = None
    date: str | None = None
    """ISO date (`2026-07-16`) of that version, or None where the source does not say."""

    @field_validator("date")
    @classmethod
    def _iso_date(cls, value: str | None) -> str | None:
        if value is not None:
            import datetime

            datetime.date.fromisoformat(value)
        return value


class Codes(_Record):
    """Identifiers in public vocabularies, where the source has them."""

    rxcui: tuple[str, ...] = ()
    unii: tuple[str, ...] = ()
    atc: tuple[str, ...] = ()


class Names(_Record):
    """Every name a person may use. All in their display spelling; the name index normalises them."""

    display: str
    """The one name shown to people, with its dosage form where that tells entities apart."""
    generic: tuple[str, ...] = ()
    substances: tuple[str, ...] = ()
    """Active substances. More than one means a combination product."""
    brands: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """Other names in use, names in other languages among them."""
    misspellings: tuple[str, ...] = ()


class Medicine(_Record):
    """One medicine: one substance (or combination) in one dosage form, as one source describes it."""

    id: str = Field(pattern=r"^[a-z0-9-]+:[^\s#]+$")
    """`<source>:<id in source>`, stable over rebuilds."""
    names: Names
    form: str | None = None
    """Dosage form (`tablet`, `oral solution`, `软胶囊`)."""
    route: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    """Pharmacological classes as the source words them."""
    codes: Codes = Codes()
    source: SourceRef
    texts: dict[Attribute, str]
    """The text of each attribute the source has; never empty strings."""
    text_sources: dict[Attribute, SourceRef] = Field(default_factory=dict)
    """Where one attribute's text was taken from another document than `source`."""
    source_labels: dict[Attribute, str] = Field(default_factory=dict)
    """What the source itself calls the attribute (`不良反应`, `adverse_reactions + warnings`)."""

    @field_validator("texts")
    @classmethod
    def _no_empty_text(cls, value: dict[Attribute, str]) -> dict[Attribute, str]:
        for attribute, text in value.items():
            if not text.strip():
                raise ValueError(f"the text of `{attribute}` is empty: leave the attribute out")
        return value


class Passage(_Record):
    """One attribute of one medicine, or a part of it."""

    id: str
    """`<medicine id>#<attribute>`, with `.2`, `.3` ... for the later parts of a long text."""
    medicine_id: str
    medicine: str
    """The medicine's display name."""
    attribute: Attribute
    text: str
    start: int = 0
    """Offset of `text` in the attribute's whole text, in characters."""
    end: int
    source: SourceRef
    source_label: str | None = None


class SearchCall(_Record):
    """What the distiller asks for: the arguments of the tool `search_medicine`."""

    medicine: str | None = None
    """The medicine's name as people write it, without dose; None to search all medicines."""
    attribute: Attribute | None = None
    keywords: str = ""
    """A few further words as one would type them into a search box."""


class Hit(_Record):
    """A found passage with its score. Higher is better; scores compare within one search only."""

    passage: Passage
    score: float
    matched: str | None = None
    """The name in the query that led to this medicine, None for a full-text hit."""
