"""Where real chest X-ray reports speak of which region, compare, deny or hedge: labels and places only. See CARD.md."""

from .items import SPLITS, Gold, Labels, Texts, read_gold, read_texts
from .scoring import FLAGS, Score, Scores, score

__all__ = ["FLAGS", "SPLITS", "Gold", "Labels", "Score", "Scores", "Texts", "read_gold", "read_texts", "score"]
