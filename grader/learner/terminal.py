"""Show verdicts in a terminal: solved exercises, and the first failing case with its hint."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from grader.comparison.judge import State, Verdict
from grader.comparison.present import failure_rows, failure_sentence, progress_text
from grader.comparison.vocabulary import in_words

GREEN, RED, BOLD, DIM = "32", "31", "1", "2"


class Paper:
    """What the text is written on.

    Args:
        width: characters in a line.
        coloured: whether it understands colours.
    """

    def __init__(self, width: int = 100, coloured: bool = False) -> None:
        self.width, self.coloured = min(max(width, 40), 120), coloured

    def ink(self, text: str, colour: str) -> str:
        """A text in a colour, where there are colours."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.coloured and text else text

    def wrapped(self, text: str, indent: str = "", hanging: str = "") -> str:
        """A text in lines that fit; lines that it has already stay, and nothing in it can move the cursor."""
        lines = (
            "".join(letter if letter.isprintable() else "�" for letter in line)
            for line in text.expandtabs(4).split("\n")
        )
        room = max(self.width - len(indent), 20)
        return "\n".join(
            indent + part
            for line in lines
            for part in (
                textwrap.wrap(line, room, subsequent_indent=hanging, replace_whitespace=False)
                or [""]
            )
        )


def report(title: str, verdicts: Sequence[Verdict], notes: Sequence[str], paper: Paper) -> str:
    """Everything that a learner reads after a save.

    Args:
        title: of the lesson.
        verdicts: one for each exercise, in the lesson's order.
        notes: sentences about the notebook as a whole.
        paper: what it is written on.
    """
    solved = sum(verdict.solved for verdict in verdicts)
    width = max(len(verdict.exercise) for verdict in verdicts)
    parts = [
        f"{paper.ink(title, BOLD)}\n{progress_text(solved, len(verdicts))}",
        "\n".join(_line(verdict, width, paper) for verdict in verdicts),
    ]
    unsolved = [verdict for verdict in verdicts if not verdict.solved]
    if unsolved:
        begun = (verdict for verdict in unsolved if verdict.state is not State.UNWRITTEN)
        parts.append(_first(next(begun, unsolved[0]), paper))
    else:
        parts.append(paper.ink("Every exercise of this lesson is solved.", GREEN))
    if notes:
        parts.append("\n".join(paper.wrapped(note) for note in notes))
    return "\n\n".join(parts)


def _line(verdict: Verdict, width: int, paper: Paper) -> str:
    """One exercise: its mark, its name, its points, and what it misses."""
    mark = verdict.state.mark
    colour = {"✓": GREEN, "✗": RED, "○": DIM}[mark]
    missed = "" if not verdict.missed else f"missed: {', '.join(map(in_words, verdict.missed))}"
    text = f"{verdict.exercise:{width}}  {verdict.points:g} of {verdict.max_points:g}"
    return f"  {paper.ink(mark, colour)} {text}  {missed}".rstrip()


def _first(verdict: Verdict, paper: Paper) -> str:
    """The exercise to go on with: why it isn't solved, the case, the hint."""
    if verdict.failure is None:
        return paper.wrapped(verdict.note or "")
    rows = failure_rows(verdict.failure)
    width = max(len(name) for name, _ in rows) + 2
    table = [
        f"  {name:{width}}{paper.wrapped(text, ' ' * (width + 2), hanging='  ').lstrip()}"
        for name, text in rows
    ]
    hint = [paper.ink(paper.wrapped(f"Hint: {verdict.hint}"), BOLD)] if verdict.hint else []
    return "\n".join(
        [paper.wrapped(f"{verdict.exercise}: {failure_sentence(verdict.failure)}"), *table, *hint]
    )
