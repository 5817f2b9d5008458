"""Long conversations made short, by a rule that loses no medicine, no allergy and no fact about the person.

The rule. A conversation within the limit stays as it is. Of a longer one the last turns stay word for word. Of the
turns before them stay, in order and word for word, those sentences of the person that name a medicine of the database,
hold what looks like the name of one, or state a fact about somebody (`agents/facts.py`). They come first, as one turn,
marked as said earlier. What else was said before is left out. The conversation itself is kept by whoever keeps it; this
is what a model sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from langchain_core.messages import AnyMessage, HumanMessage

from .facts import stated_facts
from .sentences import split_sentences
from .turn import MedicineSearch

MOST_CHARACTERS: Final = 12_000
"""About 3,000 tokens of English."""
KEPT_TURNS: Final = 8
_EARLIER: Final = "Said earlier in this conversation:"


def compacted(
    messages: Sequence[AnyMessage],
    medicines: MedicineSearch,
    *,
    most_characters: int = MOST_CHARACTERS,
    kept_turns: int = KEPT_TURNS,
) -> list[AnyMessage]:
    """The conversation as a model should see it.

    Args:
        messages: the whole conversation.
        medicines: whose names count as medicines.
        most_characters: up to here nothing is left out.
        kept_turns: last turns that stay word for word.
    """
    if sum(len(m.text) for m in messages) <= most_characters or len(messages) <= kept_turns:
        return list(messages)
    early, late = messages[:-kept_turns], list(messages[-kept_turns:])
    told = [line for m in early if isinstance(m, HumanMessage) for line in _told(m.text, medicines)]
    kept = list(dict.fromkeys(told))
    return [HumanMessage("\n".join([_EARLIER, *(f"- {line}" for line in kept)])), *late] if kept else late


def _told(text: str, medicines: MedicineSearch) -> list[str]:
    """The sentences that must not be lost. One turn that was compacted before is read line by line."""
    lines = text.removeprefix(_EARLIER).split("\n")
    sentences = [" ".join(s.text.split()) for line in lines for s in split_sentences(line.removeprefix("- "))]
    return [s for s in sentences if medicines.mentions(s) or medicines.unknown_names(s) or stated_facts([s])]
