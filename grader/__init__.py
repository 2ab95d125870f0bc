"""Compare learners' functions with the reference: hints in the notebook, points in the grader.

Lessons import these names: cells use `check`, `harden`, `predict`, `recall`, `recall_missed`,
`earlier` and `missions`; an author's `exercises.py` uses `Exercise`, `case`, `Question` and
`NumberQuestion`.
"""

from grader.comparison.vocabulary import Exercise, NumberQuestion, Question, case
from grader.learner.check import check, harden
from grader.learner.earlier import earlier
from grader.learner.progress import missions
from grader.learner.questions import predict, recall, recall_missed

__all__ = [
    "Exercise",
    "NumberQuestion",
    "Question",
    "case",
    "check",
    "earlier",
    "harden",
    "missions",
    "predict",
    "recall",
    "recall_missed",
]
