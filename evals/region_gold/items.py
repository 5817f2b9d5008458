"""What a line of the gold holds, and how its sentence is found in the reports, whose licence forbids shipping them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ...corpora.patients import Region
from ...errors import UserError
from ..reading import read_rows

FOLDER: Final = Path(__file__).parent
"""Where the shipped files lie."""
SPLITS: Final = {"dev": 180, "test": 180, "fresh": 120}
"""Each split and how many sentences it holds; its file is `<split>.jsonl`."""

Texts = Mapping[str, Mapping[str, str]]
"""The text of each section, by report id and section."""


class Labels(BaseModel):
    """What a sentence is about, as the gold or as a tagger says. The rules are in CARD.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    regions: tuple[Region, ...]
    """Each once, in the order of `Region`; the most specific ones, without those around them."""
    compares: bool
    """It states change or stability against earlier imaging."""
    negated: bool
    """It denies a finding and states none as present."""
    uncertain: bool
    """It hedges."""

    @field_validator("regions")
    @classmethod
    def _in_order(cls, value: tuple[Region, ...]) -> tuple[Region, ...]:
        if value != tuple(region for region in Region if region in value):
            raise ValueError("a region stands there twice, or not in the order of `Region`")
        return value


class Gold(Labels):
    """A sentence by its place in a report, with its labels."""

    report: str = Field(pattern=r"^CXR\d+$")
    section: Literal["findings", "impression"]
    start: int = Field(ge=0)
    """In characters of the section's text."""
    end: int
    """The first character after the sentence."""
    stratum: Literal["uniform", "comparison", "mixed", "region", "negation"]
    """By what it was drawn."""

    @model_validator(mode="after")
    def _has_an_inside(self) -> Gold:
        if self.end <= self.start:
            raise ValueError("a sentence ends after its start")
        return self

    @property
    def where(self) -> str:
        """Where it stands, for people: `CXR2 findings 0-24`."""
        return f"{self.report} {self.section} {self.start}-{self.end}"

    def sentence(self, texts: Texts) -> str:
        """The sentence itself.

        Raises:
            UserError: the texts lack its report, or the section is shorter than the sentence's place.
        """
        text = texts.get(self.report, {}).get(self.section, "")
        if len(text) < self.end:
            raise UserError(f"the reports have no `{self.where}`: give the Open-i reports that CARD.md names")
        return text[self.start : self.end]


def read_gold(split: str, folder: Path = FOLDER) -> list[Gold]:
    """The sentences of a split, in the order of the file.

    Raises:
        UserError: there is no such split, or a line holds no gold; named with its line.
    """
    if split not in SPLITS:
        raise UserError(f"`{split}` is no split of the region gold: use {' or '.join(f'`{name}`' for name in SPLITS)}")
    found: list[Gold] = []
    for row in read_rows(folder / f"{split}.jsonl"):
        try:
            found.append(Gold.model_validate(row.data))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the line"
            raise UserError(f"{row.where}: `{field}`: {first['msg']}: mend the gold") from None
    return found


def read_texts(path: Path, sections: Sequence[str] = ("findings", "impression")) -> Texts:
    """The sections of reports, from a file of records with `id` and the sections as strings.

    Raises:
        UserError: the file can't be read, or a record lacks one of these.
    """
    texts: dict[str, dict[str, str]] = {}
    for row in read_rows(path):
        values = {name: row.data.get(name) for name in ("id", *sections)}
        for name, value in values.items():
            if not isinstance(value, str):
                raise UserError(f"{row.where}: `{name}` is no text: reports need `id`, {', '.join(sections)}")
        texts[row.data["id"]] = {name: row.data[name] for name in sections}
    return texts
