"""What is known of a class comes in; the sections of the instructor's page go out, as HTML in which every text is escaped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from statistics import mean, median
from typing import Any

from grader.comparison.present import count_of
from grader.comparison.vocabulary import in_order, in_words
from grader.insights.charts import Column, histogram, legend, stacked, table
from grader.insights.code import code_alone, cut
from grader.insights.gather import Class
from grader.insights.groups import Group, without_group
from grader.insights.names import Names
from grader.insights.times import columns_of, moment

STATES = (("solved", "all points"), ("part", "some points"), ("none", "no points"), ("open", "not judged"))
"""What can become of an exercise: the look of it, and its words. Not judged is also what was not written."""

CELL_TYPE = re.compile(r"of type .*(?=; it was read)", re.DOTALL)
"""What a submission says of itself in a sentence on what was repaired."""

MOST_STEPS = 20
"""A lesson of at most so many points has a column for each."""

FEW = 5
"""A bar of fewer students never fills its place."""

MOST_ROWS = 40
"""Most rows of a table whose length depends on what learners wrote."""


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
    columns = [Column(f"{low:g}", f"{low:g} to less than {high:g}", sum(low <= total < high for total in totals)) for low, high in pairwise(edges)]
    columns.append(Column(f"{most:g}", f"{most:g}: all", sum(total >= most for total in totals), "solved"))
    return _paragraph(" ".join(facts)) + histogram(columns, "How many students got how many points", "points") + _exercises(of_class)


def _exercises(of_class: Class) -> str:
    bars, rows = [], []
    for name in of_class.lesson.exercises:
        scores = [work.scores[name] for work, _ in of_class.verdicts(name)]
        states = Counter(_state(verdict, work.scores[name], of_class.max_of(name)) for work, verdict in of_class.verdicts(name))
        bars.append((name, [(states[look], look) for look, _ in STATES]))
        given = ", ".join(f"{score:g} ({count})" for score, count in sorted(Counter(scores).items(), reverse=True))
        rows.append([name, f"{of_class.max_of(name):g}", f"{mean(scores):.2f}" if scores else "", *(str(states[look]) for look, _ in STATES), given])
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
    return table("Properties missed: by how many of the answers that could be judged", ["exercise", "property", "missed", "of"], rows, shares) or _paragraph(
        "Nothing was missed."
    )


def misconceptions(of_class: Class, names: Names) -> str:
    """Which hints were given, and how often."""
    given: dict[tuple[str, str], list[str]] = {}
    for name in of_class.lesson.exercises:
        for work, verdict in of_class.verdicts(name):
            if verdict["hint"]:
                given.setdefault((name, verdict["hint"]), []).append(work.student)
    ranked = sorted(given.items(), key=lambda item: -len(item[1]))
    most = max([FEW, *map(len, given.values())])
    heads, rows = ["exercise", "hint that was shown", "students"], [[name, hint, str(len(who))] for (name, hint), who in ranked]
    if names.shown:
        heads, rows = [*heads, "who"], [[*row, ", ".join(who)] for row, (_, who) in zip(rows, ranked, strict=True)]
    known = sum(len(exercise.misconceptions) for exercise in of_class.lesson.exercises.values())
    facts = _paragraph(f"{len(ranked)} different mistakes; the lesson knows {known}.")
    return facts + table("Mistakes that the lesson knows, the most frequent first", heads, rows, [len(who) / most for _, who in ranked])


def unexplained(of_class: Class, groups: Sequence[Group], names: Names) -> str:
    """The answers that no misconception explains."""
    parts = [_paragraph(f"{count_of(sum(len(group.students) for group in groups), 'answer')} in {count_of(len(groups), 'group')}: each returned the same.")]
    if older := without_group(of_class):
        more = f"{count_of(older, 'more answer')} can't be grouped, because an older grader judged them"
        parts.append(_paragraph(f"{more}; grader autograde {of_class.lesson.name} --regrade judges them again."))
    if groups and of_class.draws > 1:
        parts.append(
            _paragraph(
                f"The grades rest on {of_class.draws} draws of the inputs, so one mistake can be in several groups; "
                f"grader autograde {of_class.lesson.name} --regrade puts them on one."
            )
        )
    return "".join([*parts, *(_group(of_class, group, names) for group in groups[:MOST_ROWS]), _more(len(groups), "groups")])


def _group(of_class: Class, group: Group, names: Names) -> str:
    share = f"{count_of(len(group.students), 'student')}, missed: {in_words(group.property)}"
    rows = [["returned" if name == "yours" else name, names.hide(text)] for name, text in group.case]
    who = f"<p>{escape(', '.join(group.students))}</p>" if names.shown else ""
    command = f"grader insights {of_class.lesson.name} --skeleton {group.name}"
    code = None if group.example is None else cut(group.example.source) if names.shown else names.hide(code_alone(group.example.source) or "") or None
    shown = f"<p>One of them wrote:</p><pre><code>{escape(code)}</code></pre>" if code else _paragraph("Their code can't be shown: it is no Python, or was handed in anew since.")
    make = f"<p>Make it the next misconception: <code>{escape(command)}</code></p>" if group.example else ""
    return (
        f'<section class="card"><h3 id="{escape(group.name)}"><code>{escape(group.name)}</code>: {escape(share)}</h3>{who}'
        f"{table('The first case that differs: ' + names.hide(group.reason), ['name', 'value'], rows)}{shown}{make}</section>"
    )


def times(of_class: Class) -> str:
    """When the notebooks were handed in."""
    known = [(work.timestamp, work.late) for work in of_class.works if work.timestamp]
    if not known:
        return _paragraph("It is not known when these notebooks were handed in.")
    columns, line = columns_of(known, of_class.due)
    late = sum(late for _, late in known)
    due = f"Due {moment(of_class.due)}; {late} of {len(known)} came later." if of_class.due else "No due date is set."
    first, last = min(at for at, _ in known), max(at for at, _ in known)
    looks = legend([("plain", "in time"), ("none", "late")]) if late else ""
    facts = _paragraph(f"{due} The first came {moment(first)}, the last {moment(last)}.")
    return facts + histogram(columns, "When the notebooks were handed in, in UTC", "handed in from (UTC)", line) + looks


def trouble(of_class: Class, names: Names) -> str:
    """Who has no grade and why, which notebooks were repaired, and which answers could not be judged."""
    parts = [_reasons("Why there is no grade", [(names.hide_file(reason), student) for student, reason in of_class.ungraded.items()], of_class, names)]
    if of_class.renewed:
        who = f": {', '.join(of_class.renewed)}" if names.shown else ""
        parts.append(_paragraph(f"{count_of(len(of_class.renewed), 'student')} handed in anew since the grade{who}. grader autograde {of_class.lesson.name} grades that."))
    repairs = [(sentence if names.shown else CELL_TYPE.sub("of another type", sentence), work.student) for work in of_class.works for sentence in work.result["repaired"]]
    parts.append(_reasons("What was repaired before grading", repairs, of_class, names))
    notes = [
        (_note(verdict["note"], names), work.student) for name in of_class.lesson.exercises for work, verdict in of_class.verdicts(name) if verdict["note"]
    ]
    parts.append(_reasons("Answers that could not be judged", notes, of_class, names))
    return "".join(parts) or _paragraph("None: everybody has a grade, no notebook had to be repaired, and every answer could be judged.")


def students(of_class: Class) -> str:
    """Every student with points and time; only where names may be shown."""
    named = any(any(names[:2]) for names in of_class.people.values())
    rows = []
    for work in of_class.works:
        name = " ".join(of_class.people.get(work.student, ())[:2]).strip()
        scores = [f"{work.scores.get(exercise, 0):g}" for exercise in of_class.lesson.exercises]
        at = f"{work.timestamp:%Y-%m-%d %H:%M}" if work.timestamp else ""
        rows.append([work.student, *[name] * named, f"{work.points:g}", f"{work.penalty:g}", *scores, at])
    return table("Points of each student", ["student", *["name"] * named, "in all", "penalty", *of_class.lesson.exercises, "handed in (UTC)"], rows)


def _reasons(caption: str, sentences: list[tuple[str, str]], of_class: Class, names: Names) -> str:
    counts = Counter(sentence for sentence, _ in sentences).most_common()
    rows = [[_sentence(sentence, of_class), str(count)] for sentence, count in counts[:MOST_ROWS]]
    heads = ["reason", "how many"]
    if names.shown:
        heads, rows = [*heads, "who"], [[*row, ", ".join(who for one, who in sentences if one == sentence)] for row, (sentence, _) in zip(rows, counts, strict=False)]
    return table(caption, heads, rows) + _more(len(counts), "reasons")


def _more(count: int, what: str) -> str:
    return _paragraph(f"{count - MOST_ROWS} {what} more are not shown.") if count > MOST_ROWS else ""


def _note(note: str, names: Names) -> str:
    """A note without the message of a learner's exception, one sentence for each kind."""
    ours, between, theirs = re.sub(r" stops with (\w+).*", r" stops with \1", note, flags=re.DOTALL).partition("; yours takes ")
    return ours.partition(":")[0] if "is not written yet" in ours else ours + between + names.hide(theirs)


def _sentence(text: str, of_class: Class) -> str:
    """With a capital, unless it begins with the name of an exercise, and a full stop."""
    begins = text.split(" ")[0] in of_class.lesson.exercises
    return (text if begins else text[:1].upper() + text[1:]).rstrip(".") + "."


def _state(verdict: dict[str, Any], score: float, most: float) -> str:
    if score >= most:
        return "solved"
    return "part" if score > 0 else "open" if verdict["note"] else "none"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


