"""Compare learners' functions with the reference: hints in the notebook, points in the grader.

This module is what a lesson imports: `check`, `predict`, `recall`, `recall_missed` and `earlier` for its cells; `Exercise`, `case` and `Question` for its author.
"""

from grader.comparison.vocabulary import Exercise, Question, case
from grader.learner.check import check
from grader.learner.earlier import earlier
from grader.learner.questions import predict, recall, recall_missed

__all__ = ["Exercise", "Question", "case", "check", "earlier", "predict", "recall", "recall_missed"]
