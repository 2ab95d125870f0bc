"""Test `grader insights`: the page runs nothing, and names nobody unless asked."""

from __future__ import annotations

import json
import random
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from accessible import broken
from classroom import LATE, Course
from playwright.sync_api import Browser

from course import lesson, solved, written
from grader.cli import main
from grader.insights.gather import ClassResults, GradebookRow, StudentResult, gather
from grader.insights.groups import Group, groups_of
from grader.insights.page import NUMBERS, page
from grader.insights.tables import table
from grader.instructor.gradebook import course_directory
from grader.instructor.nbgrader_feedback import write_pages
from grader.instructor.sample_class import sample_class, submit

TAKE = "window.taken = true"
BIAS_TWICE = {
    "anna.meyer": """# Anna Meyer wrote this
def weighted_sum(x, w, b):
    '''By Anna.'''
    if len(x) != len(w):
        raise ValueError('annameyer says no')
    return x @ w + 2 * b  # me: Anna
""",
    "berta": """def weighted_sum(x, w, b):
    total = 0.0
    for one, other in zip(x, w, strict=True):
        total += one * other
    return total + b + b
""",
    "carl": """def carlTwice(b):
    return b * 2

def weighted_sum(x, w, b):
    print('carl was here')
    return sum(np.multiply(x, w)) + carlTwice(b)
""",
}
"""The same mistake, written three ways."""
HOSTILE = f"""def weighted_sum(x, w, b):
    raise KeyError('<script>{TAKE}</script><img src=x onerror=\"{TAKE}\"> dora')
"""
HINT = "You left out the bias: it is added once, after the sum."


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = Course(tmp_path_factory.mktemp("course"))
    for student, source in BIAS_TWICE.items():
        course.hand_in(student, written("neuron", weighted_sum=source, sigmoid="..."))
    course.hand_in(
        "dora", written("neuron", weighted_sum=HOSTILE, relu="def relu(z, dora):\n    return z\n")
    )
    course.hand_in(
        "emil",
        written(
            "neuron",
            weighted_sum="def weighted_sum(x, w, b):\n    return float(x @ w)\n",
            dense="...",
        ),
        LATE,
    )
    course.hand_in("frida", solved("neuron"))
    course.hand_in("gustav", b"{")
    renamed = course.hand_in("hans", solved("neuron"))
    renamed.joinpath("neuron.ipynb").rename(course.root / "hans secret.ipynb")
    (renamed / "neuron.ipynb").symlink_to(course.root / "hans secret.ipynb")
    course.punish_lateness()
    with course.gradebook() as gradebook:
        gradebook.add_student(
            "anna.meyer", first_name="Anna", last_name="Meyer", email="am@example.org"
        )
        gradebook.add_student("ida")
    course.autograde()
    with course.gradebook() as gradebook:
        gradebook.find_grade("check-sigmoid", "neuron", "neuron", "berta").manual_score = 1.5
        gradebook.db.commit()
    return course


@pytest.fixture
def inside(course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.chdir(course.root)
    return course


def written_page(course: Course, *words: str) -> str:
    assert main(["insights", "neuron", *words]) == 0
    return (course.root / "class" / "insights" / "neuron.html").read_text(encoding="utf-8")


def groups(course: Course) -> list[Group]:
    return groups_of(gather(course.root, lesson("neuron")))


def test_answers_with_equal_results_are_one_group(inside: Course) -> None:
    first, *others = groups(inside)
    assert first.exercise == "weighted_sum"
    assert set(first.students) == set(BIAS_TWICE)
    assert [set(group.students) for group in others] == [{"dora"}]
    rows = dict(first.mistake["case"])
    assert list(rows) == ["x", "w", "b", "yours", "expected"]
    assert float(rows["yours"]) == pytest.approx(
        float(rows["expected"]) + float(rows["b"]), abs=1e-5
    )
    assert first.mistake["reason"] == "The numbers differ."


def test_the_page_shows_points_mistakes_and_times(inside: Course) -> None:
    text = written_page(inside)
    for row in (
        # possible, mean, all points, some, none, not judged
        ("weighted_sum", "2", "0.33", "1", "0", "5", "0"),
        ("sigmoid", "3", "1.75", "3", "1", "0", "2"),
        ("weighted_sum", HINT, "1"),
        ("weighted_sum", "right values", "5", "6"),
        ("the notebook can&#x27;t be read", "2"),
        ("nothing was handed in", "1"),
        ("relu could not be called", "1"),
        ("sigmoid is not written yet", "2"),
        ("2026-10-02", "1"),
    ):
        cells = [f"<td[^>]*>{re.escape(cell)}</td>" for cell in row[1:]]
        assert re.search(f'<th scope="row">{re.escape(row[0])}</th>' + "".join(cells), text), row
    assert "1 answer got points by hand" in text
    assert "Due 2026-10-01 18:00 UTC; 1 of 6 came later." in text
    assert "Mean 2.92" in text, "the late notebook earned 3 points and lost them"
    assert "1 submission lost points for being late." in text


def test_nobody_is_named_unless_asked(inside: Course) -> None:
    named = (
        "anna",
        "meyer",
        "berta",
        "carl",
        "dora",
        "emil",
        "frida",
        "gustav",
        "hans",
        "example.org",
    )
    text = written_page(inside).lower()
    assert [name for name in named if name in text] == []
    assert "no name is shown, nor any text that a learner wrote." in text
    with_names = written_page(inside, "--names").lower()
    assert [name for name in named if name not in with_names] == ["example.org"]
    assert "keep it to yourself" in with_names


def test_code_is_shown_as_written_with_names_and_not_at_all_without(inside: Course) -> None:
    for student, source in BIAS_TWICE.items():
        results = gather(inside.root, lesson("neuron"))
        results.graded = [one for one in results.graded if one.student == student]
        found = groups_of(results)
        with_names = page([(results, found)], with_names=True)
        assert with_names.count("<pre>") == 1
        shown = unescape(with_names.partition("<pre><code>")[2].partition("</code>")[0])
        assert shown == source.strip()
        without = page([(results, found)], with_names=False)
        assert "<pre>" not in without
        assert "def " not in without


def test_without_names_only_numbers_of_a_learner_are_shown(inside: Course) -> None:
    twice, hostile = groups(inside)
    text = unescape(written_page(inside)).replace('<td class="number">', "<td>")
    for name, value in twice.mistake["case"]:
        assert f"{'returned' if name == 'yours' else name}</th><td>{value}</td>" in text
    assert dict(hostile.mistake["case"])["yours"].startswith("KeyError")
    assert "KeyError" not in text
    assert "KeyError: " in unescape(written_page(inside, "--names"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("[ 1.5 -2.0e-05, nan]  (float32)", True),
        ("[[1., ..., 2.],\n ...,\n [3., ..., inf]] …", True),
        ("(True, None)", True),
        ("[1.e+10 2.e-05]  (uint8)", True),
        ("1.", True),
        ("ValueError: Anna says no", False),
        ("an Anna", False),
        ("anna4711", False),
        ("nanna", False),
        ("'by Anna'", False),
        ("[1, 'a']", False),
        ("a 王芳", False),
    ],
)
def test_a_result_is_shown_where_it_is_numbers(text: str, plain: bool) -> None:
    assert bool(NUMBERS.fullmatch(text)) == plain


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("words", [(), ("--names",)])
def test_the_page_needs_no_network_and_names_its_tables(
    inside: Course, words: tuple[str, ...]
) -> None:
    text = written_page(inside, *words)
    tags = Tags(text).tags
    assert {name for name, _ in tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "form",
        "svg",
    } == set()
    assert all(
        attributes["href"].startswith("#")
        for name, attributes in tags
        if name == "a"
        for _ in [0]
        if attributes["href"]
    )
    assert not [
        attribute
        for _, attributes in tags
        for attribute in attributes
        if attribute.startswith("on")
    ]
    assert "url(" not in text
    assert text.count("<table>") == text.count("<caption>")
    assert all(
        attributes.get("scope") in ("row", "col") for name, attributes in tags if name == "th"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_learners_script_does_not_run_and_the_page_is_light_or_dark(
    inside: Course, browser: Browser, scheme: str
) -> None:
    written_page(inside, "--names")
    view = browser.new_page(color_scheme=scheme, viewport={"width": 1100, "height": 900})  # type: ignore[arg-type]
    said: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.goto((inside.root / "class" / "insights" / "neuron.html").as_uri())
    assert view.evaluate("window.taken") is None
    assert said == []
    assert f"<script>{TAKE}</script>" in view.inner_text("main"), "it is shown as it was written"
    dark = view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert dark == (scheme == "dark")
    assert broken(view) == []
    assert view.evaluate("document.documentElement.scrollWidth") <= 1100
    view.set_viewport_size({"width": 360, "height": 800})
    assert view.evaluate("document.documentElement.scrollWidth") <= 360
    view.close()


def test_the_page_with_names_begins_with_who_needs_the_teacher(inside: Course) -> None:
    write_pages(inside.root, "neuron", ["dora"])
    text = unescape(written_page(inside, "--names")).replace('<td class="number">', "<td>")
    first = text.partition("Who needs you</h2>")[2].partition("</section>")[0]
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th><td.*?>(.*?)</td><td>(.*?)</td>", first)
    assert [name for name, _, _ in rows[:2]] == ["gustav", "hans"]
    found = {name: why for name, _, why in rows}
    link = '<a href="../feedback/dora/neuron/neuron.html">dora</a>'
    assert found[link] == "less than half of the points; 1 wrong answer that no hint explains"
    assert not {"frida", "ida"} & found.keys()
    assert "Nothing came from ida." in first
    assert (inside.root / "class" / "insights" / "../feedback/dora/neuron/neuron.html").is_file()


def test_several_lessons_are_on_one_page(inside: Course) -> None:
    results = gather(inside.root, lesson("neuron"))
    row = GradebookRow(scores=dict.fromkeys(lesson("loss").exercises, 1.5))
    loss = ClassResults(lesson("loss"), [StudentResult("frida", {}, [], "", row)])
    text = page([(results, groups(inside)), (loss, [])], with_names=True)
    frida = '<th scope="row">frida</th><td class="number">16</td><td class="number">10</td>'
    assert f'{frida}<td class="number">6</td>' in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert {"lessons", "neuron-points", "loss-points"} <= {*ids}
    assert len(ids) == len({*ids})
    assert "frida" not in page([(results, []), (loss, [])], with_names=False)


def test_mistakes_are_compared_with_the_grading_before_and_rare_ones_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(tmp_path)
    monkeypatch.chdir(course.root)
    forgets = "def weighted_sum(x, w, b):\n    return float(x @ w)\n"
    for student in ("ann", "ben", "cleo"):
        course.hand_in(student, written("neuron", weighted_sum=forgets))
    leaks = "def relu(z):\n    return np.where(z > 0, z, 0.01 * z)\n"
    course.hand_in("dan", written("neuron", relu=leaks))
    course.autograde()
    often, _, rare = written_page(course).partition("<details>")
    assert f'{HINT}</td><td class="number">3</td>' in often
    assert "1 mistake of one student each</summary>" in rare
    assert "leaky ReLU" in rare
    for student in ("ann", "ben"):
        course.hand_in(student, solved("neuron"), LATE)
    course.autograde()
    assert f'{HINT}</td><td class="number">3 → 1</td>' in written_page(course)


def test_a_table_escapes_its_texts() -> None:
    shown = table("<caption>", ["<a>", "b"], [["<b>", "<i>"]])
    assert "<b>" not in shown
    assert "<i>" not in shown
    assert "&lt;caption&gt;" in shown


def test_a_newer_submission_is_counted_and_never_the_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(tmp_path)
    course.hand_in("berta", written("neuron", weighted_sum=BIAS_TWICE["berta"]))
    course.autograde()
    course.hand_in(
        "berta", written("neuron", weighted_sum="def weighted_sum(x, w, b):\n    return 17\n")
    )
    monkeypatch.chdir(course.root)
    assert groups(course)[0].example is None
    text = written_page(course, "--names")
    assert "1 student handed in again" in text
    assert "The code can&#x27;t be shown" in text
    assert "<pre>" not in text


def test_each_bad_input_is_answered_by_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course = Course(tmp_path)
    monkeypatch.chdir(course.root)

    def said(*words: str) -> str:
        assert main(["insights", *words]) == 1
        text = capsys.readouterr().err.strip()
        assert len(text.splitlines()) == 1
        return text

    assert said("nowhere").startswith("solutions/ has no lesson nowhere; it has capstone")
    course.hand_in("frida", solved("neuron"))
    assert "No submission of neuron has been graded" in said("neuron")
    assert "neuron has no points" in said("neuron", "--csv", "moodle")
    course.autograde()
    Path(course_directory(course.root).db_url.removeprefix("sqlite:///")).write_bytes(
        b"no database, and long enough to be taken for one" * 50
    )
    assert "damaged" in said("neuron")


@pytest.mark.long
def test_a_sample_class_has_the_same_groups_with_another_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(tmp_path)
    made = sample_class(lesson("neuron"), 42)
    submit(
        course.root / "class" / "submitted",
        "neuron",
        {name: one for name, one in made.items() if "hostile" not in name},
        random.Random(1),
    )
    course.autograde(workers=2)
    monkeypatch.chdir(course.root)
    results = gather(course.root, lesson("neuron"))
    assert len(results.graded) == 40
    found = groups_of(results)
    assert found
    assert {student.split("_")[1] for group in found for student in group.students} == {"wrong"}
    assert len({(group.exercise, group.example) for group in found}) == len(found), (
        "one mistake is one group"
    )
    course.autograde(regrade=True, seed=5)
    again = groups_of(gather(course.root, lesson("neuron")))
    assert sorted(group.students for group in again) == sorted(group.students for group in found)
    assert written_page(course).count('class="card"') == len(found)


def test_a_large_result_makes_no_large_record(tmp_path: Path) -> None:
    course = Course(tmp_path)
    large = "def {0}({1}):\n    print('x' * 10**6)\n    return np.full(20_000, 0.123456789)\n"
    names = {"weighted_sum": "x, w, b", "sigmoid": "z", "relu": "z", "dense": "X, W, b, activation"}
    course.hand_in(
        "large",
        written(
            "neuron", **{name: large.format(name, parameters) for name, parameters in names.items()}
        ),
    )
    course.autograde()
    verdicts = next(
        record["result"]["exercises"] for record in course.journal() if "result" in record
    )
    assert all("unexplained" in verdict for verdict in verdicts.values())
    assert max(len(json.dumps(verdict["unexplained"])) for verdict in verdicts.values()) < 3_000
