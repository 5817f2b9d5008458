"""MedicineQA-Open: 300 dialogues with a medication adviser, and which label passages answer them. See DATASHEET.md."""

from .items import Category, Dialogue, Evidence, Trait, Turn, read_dialogues

__all__ = ["Category", "Dialogue", "Evidence", "Trait", "Turn", "read_dialogues"]
