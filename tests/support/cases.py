"""An invented case, and the replies of models to it."""

from __future__ import annotations

from typing import Any

CASE = (
    "Case Information:\nA woman of 74 has had a new headache over the right temple for three weeks. Her jaw hurts when "
    "she chews. Yesterday she saw nothing with the right eye for ten minutes.\n\nPhysical Examination:\nThe right "
    "temporal artery is thick and tender; no pulse is felt in it.\n\nDiagnostic Tests:\nESR 96 mm/h, CRP 84 mg/l."
)


def named(*names: str, quote: str = "Her jaw hurts when she chews", **fields: Any) -> dict[str, Any]:
    """A reply of the form, the first name with a finding for it."""
    entries = [{"diagnosis": name, "for": [quote] if n == 0 else [], "against": []} for n, name in enumerate(names)]
    return {
        "reasoning": "So it is.",
        "differential": entries,
        "next_tests": ["temporal artery biopsy"],
        "red_flags": ["sight is at risk"],
    } | fields
