"""A synthetic cohort that can be shipped: patients, films, reports and MMXU-format questions, made from a seed."""

from .questions import Question
from .writing import Cohort, cohort_patients, make_cohort, record_lines, write_cohort

__all__ = ["Cohort", "Question", "cohort_patients", "make_cohort", "record_lines", "write_cohort"]
