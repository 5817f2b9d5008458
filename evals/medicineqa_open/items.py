"""What a dialogue of MedicineQA-Open holds, and how the shipped files are read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ...corpora.medicines import Attribute
from ...errors import UserError

FOLDER: Final = Path(__file__).parent
"""Where the shipped files lie."""
SPLITS: Final = {"dev": 100, "test": 200}
"""Each split and how many dialogues it holds; its file is `<split>.jsonl`."""


class Category(StrEnum):
    """What the last question is about. Values are the words used in the files."""

    RECOMMENDATION = "recommendation"
    ADVERSE_REACTIONS = "adverse_reactions"
    DOSAGE = "dosage"
    INTERACTIONS = "interactions"
    INDICATIONS = "indications"
    CONTRAINDICATIONS = "contraindications"
    STORAGE = "storage"
    PREGNANCY_CHILDREN = "pregnancy_children"
    OVERDOSE = "overdose"


class Trait(StrEnum):
    """What makes a dialogue hard. A dialogue has all that hold."""

    NO_MEDICINE_IN_LAST_TURN = "no_medicine_in_last_turn"
    TWO_MEDICINES = "two_medicines"
    """Two medicines matter: an interaction, a switch, a comparison."""
    MISSPELT = "misspelt"
    """The name of a medicine that matters is misspelt or colloquial wherever it occurs."""
    DISTRACTOR = "distractor"
    """A further medicine is named that does not matter."""
    UNANSWERABLE = "unanswerable"
    """Nothing in the labels answers; the right behaviour is to say so."""
    PERSON_FACT = "person_fact"
    """The person says something that must change the answer (pregnant, on warfarin, two years old)."""
    TOPIC_CHANGE = "topic_change"
    LONG_STORY = "long_story"
    NON_NATIVE = "non_native"
    BRAND_NAME = "brand_name"
    SHIPPED = "shipped"
    """A shipped text answers, alone or with other labels; where nothing answers: a shipped medicine is asked about."""
    EMERGENCY = "emergency"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)


class Turn(_Record):
    """What one side says."""

    role: Literal["user", "assistant"]
    content: str


class Evidence(_Record):
    """One passage that answers the last question."""

    medicine: str
    """The substance's plain name, lower case, without salt; a combination's joined by `and`."""
    attribute: Attribute
    set_id: str
    """The label that was read: an openFDA `set_id`. The shipped medicines have the `set_id` they were written from."""

    @field_validator("medicine")
    @classmethod
    def _lower_case(cls, value: str) -> str:
        if value != value.lower():
            raise ValueError(f"`{value}` is not in lower case")
        return value


class Dialogue(_Record):
    """A dialogue that ends with the person's question, and its gold."""

    id: str = Field(pattern=r"^mqo-\d{3}$")
    dialogue: tuple[Turn, ...] = Field(min_length=3, max_length=8)
    evidence: tuple[Evidence, ...]
    """Every (substance, attribute) whose text answers; empty where nothing does."""
    category: Category
    traits: tuple[Trait, ...]
    answer_note: str
    """What a right answer must contain, and what would be dangerous to say."""
    label: str | None
    """The `set_id` of the label that matters most; for a question on which its label is silent, that label."""

    @field_validator("dialogue")
    @classmethod
    def _in_turn(cls, value: tuple[Turn, ...]) -> tuple[Turn, ...]:
        roles = [turn.role for turn in value]
        if roles != [("user", "assistant")[i % 2] for i in range(len(roles))] or roles[-1] != "user":
            raise ValueError(f"the roles are {', '.join(roles)}: they must alternate, the user first and last")
        return value

    @model_validator(mode="after")
    def _nothing_twice(self) -> Dialogue:
        if len(set(self.evidence)) != len(self.evidence):
            raise ValueError("an evidence stands there twice")
        if len(set(self.traits)) != len(self.traits):
            raise ValueError("a trait stands there twice")
        return self

    @property
    def last_turn(self) -> str:
        """The person's question."""
        return self.dialogue[-1].content

    @property
    def text(self) -> str:
        """All that was said, one line a turn."""
        return "\n".join(turn.content for turn in self.dialogue)


def parse_dialogues(path: Path) -> tuple[list[Dialogue], list[str]]:
    """The dialogues of a JSONL file, and one line for each line of it that holds none.

    Raises:
        UserError: there is no such file.
    """
    dialogues: list[Dialogue] = []
    faults: list[str] = []
    for number, line in enumerate(_lines(path), 1):
        try:
            dialogues.append(Dialogue.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            faults.append(f"{path.name}:{number}: {where}: {first['msg']}")
    return dialogues, faults


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"`{path}` cannot be read ({error}): name a folder with `dev.jsonl` and `test.jsonl`") from None


def read_dialogues(split: Literal["dev", "test"], *, folder: Path = FOLDER) -> list[Dialogue]:
    """The dialogues of a split, by id.

    Raises:
        UserError: the file is missing, or a line of it holds no dialogue.
    """
    dialogues, faults = parse_dialogues(folder / f"{split}.jsonl")
    if faults:
        raise UserError(f"{faults[0]}: see `python -m wardround.evals.check_medicineqa_open`")
    return dialogues
