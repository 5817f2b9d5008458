"""The cases of DiagnosisArena, as its files hold them."""

from __future__ import annotations

from typing import Final

from ..errors import UserError
from .reading import Row

SECTIONS: Final = ("Case Information", "Physical Examination", "Diagnostic Tests")
BIAS: Final = (
    "The cases were chosen as those that GPT-4o, DeepSeek-V3 and Baichuan-M1 failed, so figures of these three are too "
    "low beside others'."
)


def case_text(row: Row) -> str:
    """The sections of a case, each under its name; never the diagnosis or the options.

    Raises:
        UserError: there is none.
    """
    found = [(name, row.data.get(name)) for name in SECTIONS]
    sections = [f"{name}:\n{text.strip()}" for name, text in found if isinstance(text, str) and text.strip()]
    if not sections:
        raise UserError(f"{row.where} has none of the sections {', '.join(f'`{name}`' for name in SECTIONS)}")
    return "\n\n".join(sections)


def specialty_of(row: Row) -> list[str]:
    """The specialty, where the file has such a column; the released one has not."""
    named = next((row.data[name] for name in ("Specialty", "specialty", "Department") if row.data.get(name)), None)
    return [str(named)] if named else []
