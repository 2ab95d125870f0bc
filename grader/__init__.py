"""Compare learners' functions with the reference: hints in the notebook, points in the grader.

This module is what a lesson imports: `check`, `predict`, `recall`, `recall_missed` and `own` for its cells; `Exercise`, `case` and `Question` for its author.
"""

from grader.comparison.vocabulary import Exercise, Question, case
from grader.learner.ask import predict, recall, recall_missed
from grader.learner.check import check
from grader.learner.own import own

__all__ = ["Exercise", "Question", "case", "check", "own", "predict", "recall", "recall_missed"]
