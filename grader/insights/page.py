"""Write the instructor's page: one HTML file without scripts or network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from statistics import mean, median

from grader.comparison.judge import State
from grader.comparison.present import count_of
from grader.comparison.vocabulary import in_order, in_words
from grader.insights.gather import NO_SUBMISSION, NOT_YET, ClassResults
from grader.insights.groups import Group
from grader.insights.students import lessons, needing, students
from grader.insights.tables import (
    FULL_BAR,
    MAX_ROWS,
    more,
    paragraph,
    table,
    table_of_counts,
    table_of_students,
)
from grader.instructor.run import ExerciseResult

STYLE = """
:root{--ink:#1f2328;--muted:#57606a;--grid:#e3e6ea;--card:#fff;--page:#f6f7f9;
--blue:#0072B2;--red:#D55E00}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--muted:#a3abb5;--grid:#3a4049;
--card:#1d2127;--page:#14171b;--blue:#56B4E9}}
:root{color-scheme:light dark}*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 "DejaVu Sans",Verdana,sans-serif}
main{max-width:68rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.2rem;margin:0 0 .6rem}
h3{font-size:1rem;margin:0 0 .5rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;margin:.8rem 0 1.2rem}
a{color:var(--blue)}p{margin:.3rem 0 .8rem;max-width:50rem}.muted{color:var(--muted)}
main>section{background:var(--card);border:1px solid var(--grid);border-radius:6px;
padding:1.1rem 1.3rem;margin:0 0 1.2rem}
.card{border:1px solid var(--grid);border-left:6px solid var(--red);border-radius:4px;
padding:.8rem 1rem;margin:1rem 0}
.wide{overflow-x:auto}caption{text-align:left;color:var(--muted);padding:0 0 .3rem}
table{border-collapse:collapse;margin:.4rem 0 1rem;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.25rem 1.1rem .25rem 0;
border-top:1px solid var(--grid)}
thead th,thead td{border-top:0;font-weight:600;color:var(--muted);vertical-align:bottom}
tbody th{font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums}
.bars{width:10rem;min-width:6rem;padding-right:0}
.bars i{display:block;height:.9em;margin-top:.25em;background:var(--blue);border-radius:2px}
code,pre,.card td{font-family:"DejaVu Sans Mono",Consolas,monospace;font-size:.86rem}
.card td{white-space:pre-wrap}.card .number{text-align:left}.card p{max-width:none}
pre{background:var(--page);border:1px solid var(--grid);border-radius:4px;padding:.7rem .9rem;
overflow-x:auto;margin:.3rem 0 .8rem}
@media print{body,main>section{background:#fff}main>section{border:0;padding:0}}
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser loads and runs nothing for this page but its style."""

STATES = ("all points", "some points", "no points", "not judged")

MAX_STEPS = 20
"""A lesson of at most this many points has a row for each in the table of points."""

MAX_LINES = 60
"""Lines of code that are shown."""

NUMBERS = re.compile(
    r"(?:\b(?:nan|inf|True|False|None|bool|float\d+|u?int\d+)\b|e[+-]|[\s\d()\[\],.;+…-])+"
)
"""A result without any word of a learner."""


def page(found: Sequence[tuple[ClassResults, list[Group]]], with_names: bool) -> str:
    """Return the whole page; without names it shows no text that a learner wrote."""
    several, parts = len(found) > 1, []
    title = escape("; ".join(results.lesson.title for results, _ in found))
    if several:
        parts.append(("lessons", "Lessons", lessons([one for one, _ in found], with_names)))
    for results, groups in found:
        name = results.lesson.name
        for key, head, html in _parts(results, groups, with_names):
            names = (f"{name}-{key}", f"{name}: {head}") if several else (key, head)
            parts.append((*names, html))
    contents = "".join(f'<li><a href="#{key}">{escape(head)}</a></li>' for key, head, _ in parts)
    body = "".join(
        f'<section aria-labelledby="{key}"><h2 id="{key}">{escape(head)}</h2>'
        f"{html or '<p>Nothing to show.</p>'}</section>"
        for key, head, html in parts
    )
    facts = " ".join(_facts(results) for results, _ in found)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Insights: {title}</title><style>{STYLE}</style></head>"
        f'<body><main><h1>{title}</h1><p class="muted">{escape(facts + _made(with_names))}</p>'
        f'<nav aria-label="Sections"><ul>{contents}</ul></nav>{body}</main></body></html>\n'
    )


def _parts(
    results: ClassResults, groups: list[Group], with_names: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield the id, the heading and the content of each section about a lesson."""
    if with_names:
        yield "needing", "Who needs you", needing(results)
    yield "points", "Points", _points(results)
    yield "missed", "What was missed", _missed(results)
    yield "misconceptions", "Known mistakes", _misconceptions(results, with_names)
    yield "unexplained", "Unexplained answers", _unexplained(groups, with_names)
    yield "copies", "Copies of finished functions", _copies(results, with_names)
    yield "times", "Submission times", _times(results)
    yield "trouble", "Not graded, repaired, not judged", _trouble(results, with_names)
    if with_names:
        yield "students", "Students", students(results)


def _facts(results: ClassResults) -> str:
    count = len({*results.submissions, *(one.student for one in results.graded)})
    submitted = f"{count_of(count, 'submission')} of {results.lesson.name}"
    absent = f" {count_of(len(results.absent), 'student')} handed in nothing."
    return f"{submitted}, {len(results.graded)} graded.{absent * bool(results.absent)}"


def _made(with_names: bool) -> str:
    who = "No name is shown, nor any text that a learner wrote."
    if with_names:
        who = "With students' names and code: keep it to yourself."
    return f" Made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. {who}"


def _points(results: ClassResults) -> str:
    totals = [one.points for one in results.graded]
    most = results.most
    facts = f"Mean {mean(totals):.2f}, median {round(median(totals), 2):g}, of {most:g} points."
    if late := sum(one.row.penalty > 0 for one in results.graded):
        facts += f" {count_of(late, 'submission')} lost points for being late."
    if manual := sum(len(one.row.manual) for one in results.graded):
        facts += f" {count_of(manual, 'answer')} got points by hand."
    steps = int(most) if most == int(most) and most <= MAX_STEPS else 10
    edges = [round(most * step / steps, 6) for step in range(steps + 1)]
    counts = {
        f"{low:g} to less than {high:g}": sum(low <= total < high for total in totals)
        for low, high in pairwise(edges)
    }
    counts[f"{most:g}"] = sum(total >= most for total in totals)
    return (
        paragraph(facts)
        + table_of_counts("Students by points", "points", counts)
        + _exercises(results)
    )


def _exercises(results: ClassResults) -> str:
    rows, shares = [], []
    for name in results.lesson.exercises:
        most, answers = results.max_of(name), results.answers(name)
        scores = [one.row.scores[name] for one, _ in answers]
        states = Counter(_state(answer, one.row.scores[name], most) for one, answer in answers)
        average = f"{mean(scores):.2f}" if scores else ""
        counts = [str(states[state]) for state in STATES]
        rows.append([name, f"{most:g}", average, *counts])
        shares.append(sum(scores) / (len(scores) * most) if scores else 0)
    heads = ["exercise", "possible", "mean", *STATES]
    return table("Students by exercise, and the mean as a share of the points", heads, rows, shares)


def _state(answer: ExerciseResult, score: float, most: float) -> str:
    if score > 0:
        return STATES[0] if score >= most else STATES[1]
    return STATES[3] if answer["note"] else STATES[2]


def _missed(results: ClassResults) -> str:
    rows, shares = [], []
    for name in results.lesson.exercises:
        judged = [answer for _, answer in results.answers(name) if not answer["note"]]
        counts = Counter(prop for answer in judged for prop in answer["missed"])
        for prop in in_order(counts):
            rows.append([name, in_words(prop), f"{counts[prop]}", f"{len(judged)}"])
            shares.append(counts[prop] / len(judged))
    heads = ["exercise", "property", "missed", "of"]
    caption = "Properties that answers missed, of those that could be judged"
    return table(caption, heads, rows, shares)


Mistakes = dict[tuple[str, str], list[str]]
"""Students by an exercise and what was said about their answer to it."""


def _misconceptions(results: ClassResults, with_names: bool) -> str:
    """Return the known mistakes; rare ones are folded where others are more frequent."""
    now, before = _mistakes(results, {}), _mistakes(results, results.before)
    ranked = sorted({**before, **now}, key=lambda one: -len(now.get(one, ())))
    often = [one for one in ranked if len(now.get(one, ())) > 1 or len(before.get(one, ())) > 1]
    full = max([FULL_BAR, *map(len, now.values())])

    def shown(caption: str, mistakes: Sequence[tuple[str, str]]) -> str:
        heads = ["exercise", "hint that was shown, or the mistake that a repair proves"]
        heads += ["students", "who"][: 1 + with_names]
        rows, shares = [], []
        for one in mistakes[:MAX_ROWS]:
            who, was = now.get(one, []), len(before.get(one, []))
            count = f"{was} → {len(who)}" if was != len(who) else f"{was}"
            rows.append([*one, count, ", ".join(who)])
            shares.append(len(who) / full)
        rows = [row[: len(heads)] for row in rows]
        return table(caption, heads, rows, shares) + more(len(mistakes))

    if not often:
        return shown("Each of one student", ranked)
    rare = [one for one in ranked if one not in often]
    summary = f"<summary>{count_of(len(rare), 'mistake')} of one student each</summary>"
    folded = f"<details>{summary}{shown('Each of one student', rare)}</details>" if rare else ""
    since = "; 12 → 5: by the gradings before the last, and by the last" if results.before else ""
    return shown(f"The most frequent first{since}", often) + folded


def _mistakes(results: ClassResults, instead: Mapping[str, dict[str, ExerciseResult]]) -> Mistakes:
    """Return the known mistakes, of some students by the results in `instead`."""
    found: Mistakes = {}
    for name in results.lesson.exercises:
        for one in results.graded:
            answer = instead.get(one.student, one.exercises).get(name)
            if answer and (said := _said(answer)):
                found.setdefault((name, said), []).append(one.student)
    return found


def _said(answer: ExerciseResult) -> str:
    return answer["hint"] or (answer.get("mistake") or "").replace("_", " ")


def _unexplained(groups: list[Group], with_names: bool) -> str:
    count = sum(len(group.students) for group in groups)
    facts = f"{count_of(count, 'answer')} in {count_of(len(groups), 'group')} of equal results."
    cards = "".join(_group(group, with_names) for group in groups[:MAX_ROWS])
    return paragraph(facts) + cards + more(len(groups))


def _group(group: Group, with_names: bool) -> str:
    mistake, name = group.mistake, escape(group.name)
    share = f"{count_of(len(group.students), 'student')}, missed: {in_words(mistake['property'])}"
    relation = mistake.get("relation")
    seen = paragraph(relation) if relation else ""
    rows = [
        ["returned" if name == "yours" else name, text]
        for name, text in mistake["case"]
        if with_names or name != "yours" or NUMBERS.fullmatch(text)
    ]
    caption = "The first case that differs" + (f": {mistake['reason']}" if with_names else "")
    who = paragraph(", ".join(group.students)) if with_names else ""
    return (
        f'<section class="card"><h3 id="{name}"><code>{name}</code>: {escape(share)}</h3>'
        f"{who}{seen}"
        f"{table(caption, ['name', 'value'], rows)}"
        f"{_example(group.example) if with_names else ''}</section>"
    )


def _example(code: str | None) -> str:
    if code is None:
        return paragraph("The code can't be shown: the notebook was replaced after grading.")
    lines = code.splitlines()
    if len(lines) > MAX_LINES:
        lines[MAX_LINES:] = [f"# … and {len(lines) - MAX_LINES} lines more"]
    return f"<p>One of them wrote:</p><pre><code>{escape(chr(10).join(lines))}</code></pre>"


def _copies(results: ClassResults, with_names: bool) -> str:
    """Show the answers that are written like the functions behind the figures, names aside."""
    found = [
        (exercise, student)
        for exercise in results.lesson.exercises
        for student, codes in sorted(results.code.items())
        if exercise in codes and codes[exercise].copied
    ]
    caption = "Answers that are the course's own finished function, apart from names and comments"
    return table_of_students(caption, ["exercise"], found, with_names)


def _times(results: ClassResults) -> str:
    known = sorted((one.row.timestamp, one.late) for one in results.graded if one.row.timestamp)
    if not known:
        return ""
    late = sum(late for _, late in known)
    due = "No due date is set."
    if results.due:
        due = f"Due {results.due:%Y-%m-%d %H:%M} UTC; {late} of {len(known)} came later."
    ends = [f"{at:%Y-%m-%d %H:%M} UTC" for at, _ in (known[0], known[-1])]
    facts = paragraph(f"{due} The first came {ends[0]}, the last {ends[1]}.")
    days = Counter(f"{at:%Y-%m-%d}" for at, _ in known)
    return facts + table_of_counts("Submissions by day", "day (UTC)", days)


def _trouble(results: ClassResults, with_names: bool) -> str:
    ungraded, repairs, notes, again = [], [], [], ""
    for student, reason in results.ungraded.items():
        plain = with_names or reason in (NOT_YET, NO_SUBMISSION)
        ungraded.append((reason if plain else "the notebook can't be read", student))
    for one in results.graded:
        for sentence in one.repaired:
            repairs.append((sentence if with_names else "a cell was repaired", one.student))
        for name, answer in one.exercises.items():
            if answer["note"]:
                notes.append((_note(name, answer, with_names), one.student))
    if renewed := results.resubmitted:
        who = f": {', '.join(renewed)}" if with_names else ""
        again = f"{count_of(len(renewed), 'student')} handed in again since the grading{who}."
    return (
        table_of_students("Why there is no grade", ["reason"], ungraded, with_names)
        + (paragraph(again) if again else "")
        + table_of_students("Repairs before grading", ["repair"], repairs, with_names)
        + table_of_students("Answers that could not be judged", ["reason"], notes, with_names)
    )


def _note(name: str, answer: ExerciseResult, with_names: bool) -> str:
    """Return a note without an exception's message: one sentence for each kind."""
    if answer["state"] == State.UNWRITTEN:
        return f"{name} is not written yet"
    if not with_names:
        return f"{name} could not be called"
    return re.sub(r" stops with (\w+).*", r" stops with \1", answer["note"] or "", flags=re.DOTALL)
