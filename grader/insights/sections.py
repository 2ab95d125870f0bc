"""Write the sections of the instructor's page, with every text escaped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from statistics import mean, median
from typing import Any

from grader.comparison.judge import State
from grader.comparison.present import count_of
from grader.comparison.vocabulary import in_order, in_words
from grader.insights.charts import Column, histogram, legend, stacked, table
from grader.insights.gather import Class
from grader.insights.groups import Group, without_group
from grader.insights.redact import (
    redacted_file,
    redacted_note,
    redacted_reason,
    redacted_repair,
    redacted_result,
)
from grader.insights.times import columns_of, moment

STATES = (
    (State.SOLVED, "all points"),
    (State.PARTLY, "some points"),
    (State.MISSED, "no points"),
    (State.UNJUDGED, "not judged"),
)
"""What can become of an exercise: the look of it, and its words. Not judged is also what was not written."""

MOST_STEPS = 20
"""A lesson of at most so many points has a column for each."""

FEW = 5
"""A bar of fewer students never fills its place."""

MOST_ROWS = 40
"""Most rows of a table whose length depends on what learners wrote."""

MAX_LINES = 60
"""Most lines of code that are shown."""


def points(of_class: Class) -> str:
    """How many points there were: in all, and for each exercise."""
    totals = [work.points for work in of_class.works]
    most = of_class.max_points
    facts = [f"Mean {mean(totals):.2f}, median {round(median(totals), 2):g}, of {most:g} points."]
    if late := sum(work.penalty > 0 for work in of_class.works):
        facts.append(f"{count_of(late, 'notebook')} lost points for being late.")
    if by_hand := sum(len(work.by_hand) for work in of_class.works):
        facts.append(f"{count_of(by_hand, 'answer')} got points by hand.")
    steps = int(most) if most == int(most) and most <= MOST_STEPS else 10
    edges = [round(most * step / steps, 6) for step in range(steps + 1)]
    columns = [
        Column(
            f"{low:g}",
            f"{low:g} to less than {high:g}",
            sum(low <= total < high for total in totals),
        )
        for low, high in pairwise(edges)
    ]
    columns.append(
        Column(f"{most:g}", f"{most:g}: all", sum(total >= most for total in totals), "solved")
    )
    return (
        _paragraph(" ".join(facts))
        + histogram(columns, "How many students got how many points", "points")
        + _exercises(of_class)
    )


def _exercises(of_class: Class) -> str:
    bars, rows = [], []
    for name in of_class.lesson.exercises:
        scores = [work.scores[name] for work, _ in of_class.verdicts(name)]
        states = Counter(
            _state(verdict, work.scores[name], of_class.max_of(name))
            for work, verdict in of_class.verdicts(name)
        )
        bars.append((name, [(states[look], look) for look, _ in STATES]))
        given = ", ".join(
            f"{score:g} ({count})" for score, count in sorted(Counter(scores).items(), reverse=True)
        )
        rows.append(
            [
                name,
                f"{of_class.max_of(name):g}",
                f"{mean(scores):.2f}" if scores else "",
                *(str(states[look]) for look, _ in STATES),
                given,
            ]
        )
    heads = ["exercise", "possible", "mean", *(words for _, words in STATES), "points (students)"]
    caption = "What became of each exercise: how many students"
    return stacked(bars, caption) + legend(STATES) + table(caption, heads, rows)


def missed(of_class: Class) -> str:
    """Which properties were missed, and how often."""
    rows, shares = [], []
    for name in of_class.lesson.exercises:
        verdicts = [verdict for _, verdict in of_class.verdicts(name) if not verdict["note"]]
        counts = Counter(prop for verdict in verdicts for prop in verdict["missed"])
        for prop in in_order(counts):
            rows.append([name, in_words(prop), f"{counts[prop]}", f"{len(verdicts)}"])
            shares.append(counts[prop] / len(verdicts))
    return table(
        "Properties missed: by how many of the answers that could be judged",
        ["exercise", "property", "missed", "of"],
        rows,
        shares,
    ) or _paragraph("Nothing was missed.")


def misconceptions(of_class: Class, with_names: bool) -> str:
    """Which hints were given, and how often."""
    given: dict[tuple[str, str], list[str]] = {}
    for name in of_class.lesson.exercises:
        for work, verdict in of_class.verdicts(name):
            if verdict["hint"]:
                given.setdefault((name, verdict["hint"]), []).append(work.student)
    ranked = sorted(given.items(), key=lambda item: -len(item[1]))
    most = max([FEW, *map(len, given.values())])
    heads, rows = (
        ["exercise", "hint that was shown", "students"],
        [[name, hint, str(len(who))] for (name, hint), who in ranked],
    )
    if with_names:
        heads, rows = (
            [*heads, "who"],
            [[*row, ", ".join(who)] for row, (_, who) in zip(rows, ranked, strict=True)],
        )
    known = sum(len(exercise.misconceptions) for exercise in of_class.lesson.exercises.values())
    facts = _paragraph(f"{len(ranked)} different mistakes; the lesson knows {known}.")
    return facts + table(
        "Mistakes that the lesson knows, the most frequent first",
        heads,
        rows,
        [len(who) / most for _, who in ranked],
    )


def unexplained(of_class: Class, groups: Sequence[Group], with_names: bool) -> str:
    """Return the answers that no misconception explains, in groups with their failing case."""
    parts = [
        _paragraph(
            f"{count_of(sum(len(group.students) for group in groups), 'answer')} in {count_of(len(groups), 'group')}: each returned the same."
        )
    ]
    if older := without_group(of_class):
        more = f"{count_of(older, 'more answer')} can't be grouped, because an older grader judged them"
        parts.append(
            _paragraph(
                f"{more}; grader autograde {of_class.lesson.name} --regrade judges them again."
            )
        )
    if groups and of_class.draws > 1:
        parts.append(
            _paragraph(
                f"The grades rest on {of_class.draws} draws of the inputs, so one mistake can be in several groups; "
                f"grader autograde {of_class.lesson.name} --regrade puts them on one."
            )
        )
    return "".join(
        [
            *parts,
            *(_group(group, with_names) for group in groups[:MOST_ROWS]),
            _more(len(groups), "groups"),
        ]
    )


def _group(group: Group, with_names: bool) -> str:
    share = f"{count_of(len(group.students), 'student')}, missed: {in_words(group.property)}"
    case, reason = group.case, group.reason
    if not with_names:
        reason = redacted_reason(reason)
        case = [(name, redacted_result(text) if name == "yours" else text) for name, text in case]
    rows = [["returned" if name == "yours" else name, text] for name, text in case]
    return (
        f'<section class="card"><h3 id="{escape(group.name)}"><code>{escape(group.name)}</code>: '
        f"{escape(share)}</h3>{_authors(group) if with_names else ''}"
        f"{table(f'The first case that differs: {reason}', ['name', 'value'], rows)}"
        f"{_example(group) if with_names else ''}</section>"
    )


def _authors(group: Group) -> str:
    return _paragraph(", ".join(group.students))


def _example(group: Group) -> str:
    if group.example is None:
        return _paragraph("Their code can't be shown: another notebook was handed in since.")
    code = escape(_cut(group.example))
    return f"<p>One of them wrote:</p><pre><code>{code}</code></pre>"


def _cut(text: str) -> str:
    """Return the first lines of a text."""
    lines = text.splitlines()
    if len(lines) <= MAX_LINES:
        return text
    return "\n".join([*lines[:MAX_LINES], f"# … and {len(lines) - MAX_LINES} lines more"])


def times(of_class: Class) -> str:
    """When the notebooks were handed in."""
    known = [(work.timestamp, work.late) for work in of_class.works if work.timestamp]
    if not known:
        return _paragraph("It is not known when these notebooks were handed in.")
    columns, line = columns_of(known, of_class.due)
    late = sum(late for _, late in known)
    due = (
        f"Due {moment(of_class.due)}; {late} of {len(known)} came later."
        if of_class.due
        else "No due date is set."
    )
    first, last = min(at for at, _ in known), max(at for at, _ in known)
    looks = legend([("plain", "in time"), ("missed", "late")]) if late else ""
    facts = _paragraph(f"{due} The first came {moment(first)}, the last {moment(last)}.")
    return (
        facts
        + histogram(
            columns, "When the notebooks were handed in, in UTC", "handed in from (UTC)", line
        )
        + looks
    )


def trouble(of_class: Class, with_names: bool) -> str:
    """Who has no grade and why, which notebooks were repaired, and which answers could not be judged."""
    ungraded = [
        (reason if with_names else redacted_file(reason), student)
        for student, reason in of_class.ungraded.items()
    ]
    parts = [_reasons("Why there is no grade", ungraded, of_class, with_names)]
    if of_class.renewed:
        who = f": {', '.join(of_class.renewed)}" if with_names else ""
        parts.append(
            _paragraph(
                f"{count_of(len(of_class.renewed), 'student')} handed in again since the grade{who}. grader autograde {of_class.lesson.name} grades that."
            )
        )
    repairs = [
        (sentence if with_names else redacted_repair(sentence), work.student)
        for work in of_class.works
        for sentence in work.result["repaired"]
    ]
    parts.append(_reasons("What was repaired before grading", repairs, of_class, with_names))
    notes = [
        (_note(verdict, with_names), work.student)
        for name in of_class.lesson.exercises
        for work, verdict in of_class.verdicts(name)
        if verdict["note"]
    ]
    parts.append(_reasons("Answers that could not be judged", notes, of_class, with_names))
    return "".join(parts) or _paragraph(
        "None: everybody has a grade, no notebook had to be repaired, and every answer could be judged."
    )


def students(of_class: Class) -> str:
    """Every student with points and time; only where names may be shown."""
    named = any(any(names[:2]) for names in of_class.people.values())
    rows = []
    for work in of_class.works:
        name = " ".join(of_class.people.get(work.student, ())[:2]).strip()
        scores = [f"{work.scores.get(exercise, 0):g}" for exercise in of_class.lesson.exercises]
        at = f"{work.timestamp:%Y-%m-%d %H:%M}" if work.timestamp else ""
        rows.append(
            [work.student, *[name] * named, f"{work.points:g}", f"{work.penalty:g}", *scores, at]
        )
    return table(
        "Points of each student",
        [
            "student",
            *["name"] * named,
            "in all",
            "penalty",
            *of_class.lesson.exercises,
            "handed in (UTC)",
        ],
        rows,
    )


def _reasons(
    caption: str, sentences: list[tuple[str, str]], of_class: Class, with_names: bool
) -> str:
    counts = Counter(sentence for sentence, _ in sentences).most_common()
    rows = [[_sentence(sentence, of_class), str(count)] for sentence, count in counts[:MOST_ROWS]]
    heads = ["reason", "how many"]
    if with_names:
        heads, rows = (
            [*heads, "who"],
            [
                [*row, ", ".join(who for one, who in sentences if one == sentence)]
                for row, (sentence, _) in zip(rows, counts, strict=False)
            ],
        )
    return table(caption, heads, rows) + _more(len(counts), "reasons")


def _more(count: int, what: str) -> str:
    return (
        _paragraph(f"{count - MOST_ROWS} {what} more are not shown.") if count > MOST_ROWS else ""
    )


def _note(verdict: dict[str, Any], with_names: bool) -> str:
    """Return a note without the message of an exception: one sentence for each kind."""
    note: str = verdict["note"]
    if verdict.get("state") == State.UNWRITTEN:
        return note.partition(":")[0]
    if not with_names:
        return redacted_note(note)
    return re.sub(r" stops with (\w+).*", r" stops with \1", note, flags=re.DOTALL)


def _sentence(text: str, of_class: Class) -> str:
    """With a capital, unless it begins with the name of an exercise, and a full stop."""
    begins = text.split(" ")[0] in of_class.lesson.exercises
    return (text if begins else text[:1].upper() + text[1:]).rstrip(".") + "."


def _state(verdict: dict[str, Any], score: float, most: float) -> State:
    if score >= most:
        return State.SOLVED
    return State.PARTLY if score > 0 else State.UNJUDGED if verdict["note"] else State.MISSED


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
