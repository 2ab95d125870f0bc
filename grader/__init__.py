"""Compare learners' functions with the reference: hints in the notebook, points in the grader.

Lessons import these names: cells use `check`, `predict`, `recall`, `recall_missed` and `earlier`;
an author's `exercises.py` uses `Exercise`, `case` and `Question`.
"""

from grader.comparison.vocabulary import Exercise, Question, case
from grader.learner.check import check
from grader.learner.earlier import earlier
from grader.learner.questions import predict, recall, recall_missed

__all__ = ["Exercise", "Question", "case", "check", "earlier", "predict", "recall", "recall_missed"]
