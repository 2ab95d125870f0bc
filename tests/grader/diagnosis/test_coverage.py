"""How many mistakes get a sentence: a bank of beginners' answers, and every misconception.

`read.txt` holds the sentences about the bank that somebody has read and found true. A new sentence
has to be read: `python tests/grader/diagnosis/test_coverage.py` writes the file again.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import beginners, course_keys, explained, function_of

from course import LESSONS, lesson
from grader.comparison.judge import Compared, Verdict, judged, observe_all
from grader.diagnosis import explain
from grader.learner.trial import code_of

READ = Path(__file__).parent / "read.txt"


def bank() -> Iterator[tuple[str, Verdict]]:
    """Yield the explained verdict on each answer of the bank, with the answer's name."""
    for exercise, mistake, source in beginners():
        yield f"{exercise}, {mistake}", explained(source, course_keys()[exercise])


def misconceptions(lesson_name: str) -> Iterator[tuple[str, Verdict]]:
    """Yield the explained verdict on each misconception, with a key that does not know it."""
    for name, exercise in lesson(lesson_name).exercises.items():
        key = course_keys()[name]
        for place, one in enumerate(exercise.misconceptions):
            try:
                text = textwrap.dedent(inspect.getsource(one.function))
            except OSError:
                continue
            header, _, body = text.partition("def ")[2].partition("(")
            if text.startswith("@") and header.isidentifier():
                source = f"def {name}({body}"
                names = {**one.function.__globals__, "__name__": "__main__"}
                function = function_of(source, **names)
                known = key["misconceptions"]
                other = {**key, "misconceptions": [*known[:place], *known[place + 1 :]]}
                answer = Compared(other, observe_all(function, key["cases"]))
                code = code_of(function, seconds=600, each=60)
                yield f"{name}, {one.name}", explain(judged(name, answer), answer, code)


def found(verdicts: list[tuple[str, Verdict]]) -> float:
    """Return the share of wrong answers with a sentence."""
    wrong = [verdict for _, verdict in verdicts if not verdict.solved]
    return sum(verdict.advice is not None for verdict in wrong) / len(wrong)


def unread(verdicts: list[tuple[str, Verdict]]) -> list[str]:
    """Return the sentences that nobody has read yet; hints are read by their author."""
    known = {*READ.read_text(encoding="utf-8").splitlines()}
    lines = [f"{name}: {one.repair or one.relation}" for name, one in verdicts]
    return [line for line in lines if not line.endswith(": None") and line not in known]


def test_a_beginners_mistake_gets_a_sentence_that_was_read() -> None:
    verdicts = [*bank()]
    assert len(verdicts) > 100
    assert found(verdicts) >= 0.95
    assert len(unread(verdicts)) <= 3, unread(verdicts)


@pytest.mark.long
def test_most_misconceptions_get_another_sentence() -> None:
    verdicts = [one for name in LESSONS for one in misconceptions(name)]
    assert len(verdicts) > 500
    assert found(verdicts) >= 0.75


if __name__ == "__main__":
    READ.write_text("", encoding="utf-8")
    lines = unread([*bank()])
    READ.write_text("\n".join(lines) + "\n", encoding="utf-8")
