"""Write the instructor's page: one HTML file without scripts or network."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from grader.comparison.present import count_of
from grader.insights import sections
from grader.insights.gather import Class
from grader.insights.groups import Group

STYLE = """
:root{--ink:#1f2328;--muted:#57606a;--grid:#e3e6ea;--card:#fff;--page:#f6f7f9;--blue:#0072B2;--green:#009E73;--orange:#E69F00;--red:#D55E00;--open:#c3c9d1}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--muted:#a3abb5;--grid:#3a4049;--card:#1d2127;--page:#14171b;--blue:#56B4E9;--open:#7d8590}}
:root{color-scheme:light dark}*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 "DejaVu Sans",Verdana,sans-serif}
main{max-width:68rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.2rem;margin:0 0 .6rem}
h3{font-size:1rem;margin:0 0 .5rem}nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;margin:.8rem 0 1.2rem}
a{color:var(--blue)}p{margin:.3rem 0 .8rem;max-width:50rem}.muted{color:var(--muted)}
main>section{background:var(--card);border:1px solid var(--grid);border-radius:6px;padding:1.1rem 1.3rem;margin:0 0 1.2rem}
.card{border:1px solid var(--grid);border-left:6px solid var(--red);border-radius:4px;padding:.8rem 1rem;margin:1rem 0}
.pair{display:flex;flex-wrap:wrap;gap:1rem 2rem;align-items:flex-start}svg{max-width:100%;height:auto;display:block;margin:.3rem 0}.wide{overflow-x:auto}
table{border-collapse:collapse;margin:.4rem 0 1rem;font-size:.9rem}caption{text-align:left;color:var(--muted);padding:0 0 .3rem}
th,td{text-align:left;vertical-align:top;padding:.25rem 1.1rem .25rem 0;border-top:1px solid var(--grid)}
thead th,thead td{border-top:0;font-weight:600;color:var(--muted);vertical-align:bottom}
tbody th{font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums}
.bars{width:10rem;min-width:6rem;padding-right:0}.bars i{display:block;height:.9em;margin-top:.25em;background:var(--blue);border-radius:2px;min-width:2px}
code,pre,.card td{font-family:"DejaVu Sans Mono",Consolas,monospace;font-size:.86rem}.card td{white-space:pre-wrap}
.moment{white-space:nowrap}.card .number{text-align:left}.card p{max-width:none}
pre{background:var(--page);border:1px solid var(--grid);border-radius:4px;padding:.7rem .9rem;overflow-x:auto;margin:.3rem 0 .8rem}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.9rem}.legend i{display:inline-block;
width:.9em;height:.9em;margin-right:.4em;border-radius:2px;vertical-align:-.08em}
rect.plain{fill:var(--blue)}rect.solved{fill:var(--green)}rect.partly{fill:var(--orange)}rect.missed{fill:var(--red)}rect.unjudged{fill:var(--open)}
i.plain{background:var(--blue)}i.solved{background:var(--green)}i.partly{background:var(--orange)}i.missed{background:var(--red)}i.unjudged{background:var(--open)}
svg text{fill:var(--ink);font-size:12px}.tick,.count,.under,.inside{text-anchor:middle}.count{paint-order:stroke;stroke:var(--card);stroke-width:4}
.tick,.under{fill:var(--muted)!important}.inside{fill:#000!important;font-weight:600}
svg .name{font-size:13px}.axis{stroke:var(--muted)}.mark{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:5 4}
@media print{body,main>section{background:#fff}main>section{border:0;padding:0}}
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load and run for this page: nothing but its own style."""


NAMELESS = "No name is shown, nor any text that a learner wrote."


def page(of_class: Class, groups: list[Group], with_names: bool) -> str:
    """The whole page.

    Args:
        of_class: what is known of the class.
        groups: its answers that no misconception explains.
        with_names: whether students and what they wrote appear on it.
    """
    lesson = of_class.lesson
    parts = {
        "points": ("Points", sections.points(of_class)),
        "missed": ("What was missed", sections.missed(of_class)),
        "misconceptions": ("Known mistakes", sections.misconceptions(of_class, with_names)),
        "unexplained": (
            "Answers that no misconception explains",
            sections.unexplained(of_class, groups, with_names),
        ),
        "times": ("When it was handed in", sections.times(of_class)),
        "trouble": ("No grade, repaired, not judged", sections.trouble(of_class, with_names)),
    } | ({"students": ("Students", sections.students(of_class))} if with_names else {})
    contents = "".join(
        f'<li><a href="#{key}">{escape(title)}</a></li>' for key, (title, _) in parts.items()
    )
    body = "".join(
        f'<section aria-labelledby="{key}"><h2 id="{key}">{escape(title)}</h2>{html}</section>'
        for key, (title, html) in parts.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>Insights: {escape(lesson.title)}</title><style>{STYLE}</style></head>'
        f'<body><main><h1>{escape(lesson.title)}</h1><p class="muted">{escape(_facts(of_class, with_names))}</p>'
        f'<nav aria-label="Sections"><ul>{contents}</ul></nav>{body}</main></body></html>\n'
    )


def _facts(of_class: Class, with_names: bool) -> str:
    graded, handed_in = (
        len(of_class.works),
        len({*of_class.submissions, *(work.student for work in of_class.works)}),
    )
    who = "With students' names and code: keep it to yourself." if with_names else NAMELESS
    return f"{count_of(handed_in, 'notebook')} of {of_class.lesson.name} handed in, {graded} graded. Made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. {who}"
