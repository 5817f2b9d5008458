"""Judges: models that score answers, and how they show first that they can."""

from .judge import Judge, Judged, majority
from .qualifying import Qualification, qualify

__all__ = ["Judge", "Judged", "Qualification", "majority", "qualify"]
