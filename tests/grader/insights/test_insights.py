"""`grader insights`: a page on how a class did that runs nothing, names nobody and shows no code unless asked, and groups what no misconception explains."""

from __future__ import annotations

import json
import random
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from classroom import LATE, Course
from playwright.sync_api import Browser

from course import lesson, solved, written
from grader.cli import main
from grader.insights.charts import table
from grader.insights.gather import gather
from grader.insights.groups import Group, groups_of
from grader.insights.page import page
from grader.insights.redact import (
    OTHER,
    redacted_file,
    redacted_note,
    redacted_reason,
    redacted_repair,
    redacted_result,
)
from grader.instructor.gradebook import course_directory
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
    "berta": "def weighted_sum(x, w, b):\n    total = 0.0\n    for one, other in zip(x, w, strict=True):\n        total += one * other\n    return total + b + b\n",
    "carl": "def carlTwice(b):\n    return b * 2\n\ndef weighted_sum(x, w, b):\n    print('carl was here')\n    return sum(np.multiply(x, w)) + carlTwice(b)\n",
}
"""The same mistake, written three ways."""
HOSTILE = f"def weighted_sum(x, w, b):\n    raise KeyError('<script>{TAKE}</script><img src=x onerror=\"{TAKE}\"> dora')\n"
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
    renamed.joinpath("neuron.ipynb").rename(renamed / "hans secret.ipynb")
    (renamed / "neuron.ipynb").symlink_to(renamed / "hans secret.ipynb")
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


def test_answers_that_returned_the_same_are_one_group_however_they_are_written(
    inside: Course,
) -> None:
    first, *others = groups(inside)
    assert first.exercise == "weighted_sum"
    assert set(first.students) == set(BIAS_TWICE)
    assert [set(group.students) for group in others] == [{"dora"}]
    rows = dict(first.case)
    assert list(rows) == ["x", "w", "b", "yours", "expected"]
    assert float(rows["yours"]) == pytest.approx(
        float(rows["expected"]) + float(rows["b"]), abs=1e-5
    )
    assert first.reason == "The numbers differ."


def test_the_page_says_what_an_instructor_asks(inside: Course) -> None:
    text = written_page(inside)
    for row in (
        (
            "weighted_sum",
            "2",
            "0.33",
            "1",
            "0",
            "5",
            "0",
            "2 (1), 0 (5)",
        ),  # possible, mean, all, some, none, not judged, points
        (
            "sigmoid",
            "3",
            "1.75",
            "3",
            "1",
            "0",
            "2",
            "3 (3), 1.5 (1), 0 (2)",
        ),  # one of the points by hand
        ("weighted_sum", HINT, "1"),
        ("weighted_sum", "right values", "5", "6"),
        (
            "It is damaged: it can&#x27;t be read as JSON from its line 1 on. Save it in JupyterLab (if that can&#x27;t open it,"
            " File, Revert Notebook to Checkpoint goes back to its last whole state) and hand it in again.",
            "1",
        ),
        ("Nothing was handed in.", "1"),
        ("relu takes (z); yours takes others.", "1"),
        ("2026-10-02 12:00 (1 late)", "1"),
    ):
        cells = [f"<td[^>]*>{re.escape(cell)}</td>" for cell in row[1:]]
        assert re.search(f'<th scope="row">{re.escape(row[0])}</th>' + "".join(cells), text), row
    assert "1 answer got points by hand" in text
    assert "Due 2026-10-01 18:00 UTC; 1 of 6 came later." in text
    assert "Mean 2.92" in text, "what came late earned 3, and lost them"
    assert "1 notebook lost points for being late." in text


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
        of_class = gather(inside.root, lesson("neuron"))
        of_class.works = [work for work in of_class.works if work.student == student]
        found = groups_of(of_class)
        with_names = page(of_class, found, with_names=True)
        assert with_names.count("<pre>") == 1
        shown = unescape(with_names.partition("<pre><code>")[2].partition("</code>")[0])
        assert shown == source.strip()
        without = page(of_class, found, with_names=False)
        assert "<pre>" not in without
        assert "def " not in without


def test_the_failing_case_is_shown_as_data_and_no_message_without_names(inside: Course) -> None:
    twice, hostile = groups(inside)
    text = unescape(written_page(inside)).replace('<td class="number">', "<td>")
    for name, value in twice.case:
        assert f"{'returned' if name == 'yours' else name}</th><td>{value}</td>" in text
    for name, value in hostile.case:
        assert f"<td>{'KeyError raised' if name == 'yours' else value}</td>" in text
    assert "The first case that differs: It raised KeyError." in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[ 1.5 -2.0e-05, nan]  (float32)", "[ 1.5 -2.0e-05, nan]  (float32)"),
        (
            "[[1., ..., 2.],\n ...,\n [3., ..., inf]] …",
            "[[1., ..., 2.],\n ...,\n [3., ..., inf]] …",
        ),
        ("(True, None)", "(True, None)"),
        ("1.", "1."),
        ("an empty array of shape (0, 3)", "an empty array of shape (0, 3)"),
        ("an array of dtype object", "an array of dtype object"),
        ("a function", "a function"),
        ("a dict", "a dict"),
        ("ValueError: Anna says no", "ValueError raised"),
        ("NotImplementedError.", "NotImplementedError raised"),
        ("AnnasError: no", "an exception raised"),
        ("an Anna", OTHER),
        ("an anna4711", OTHER),
        ("'by Anna'", OTHER),
        ("[1, 'a']", OTHER),
        ("a 王芳", OTHER),
    ],
)
def test_a_result_is_shown_as_it_is_only_where_it_is_data(text: str, shown: str) -> None:
    assert redacted_result(text) == shown


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("3 of 4 numbers differ.", "3 of 4 numbers differ."),
        ("It changed its input x.", "It changed its input x."),
        ("It returned None: is its return missing?", "It returned None: is its return missing?"),
        ("It returned 3 values; 2 were expected.", "It returned 3 values; 2 were expected."),
        ("It returned a result; a ValueError was expected.",) * 2,
        ("It returned a dict.", "It returned a dict."),
        ("It returned an Anna.", f"It returned {OTHER}."),
        ("Part 1 of 2: part 1 returned a Berta.", f"Part 1 of 2: part 1 returned {OTHER}."),
        ("It raised KeyError: by\nAnna A ValueError was expected.", "It raised KeyError."),
        ("It raised Anna.", "It raised an exception."),
        ("It warned: by Anna.", "It warned."),
    ],
)
def test_a_reason_is_shown_without_messages_and_names_of_classes(reason: str, shown: str) -> None:
    assert redacted_reason(reason) == shown


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("The cell of relu stops with KeyError: 'Anna'", "The cell of relu stops with KeyError."),
        ("The cell of relu stops with Anna: no", "The cell of relu stops with an exception."),
        ("relu takes (z); yours takes (z, anna).", "relu takes (z); yours takes others."),
        (
            "No function is called relu; its cell defines anna. Keep the name that the cell came with.",
            "No function is called relu; its cell defines others.",
        ),
        ("No function is called relu; its cell defines none.",) * 2,
        ("relu gave no results.",) * 2,
    ],
)
def test_a_note_is_shown_without_a_learners_names(note: str, shown: str) -> None:
    assert redacted_note(note) == shown


def test_a_files_name_and_a_cells_type_are_not_shown() -> None:
    assert redacted_file("anna's.ipynb is a link") == "its notebook is a link"
    repaired = redacted_repair("The cell of relu was of type anna; it was read as code.")
    assert repaired == "The cell of relu was of another type; it was read as code."


class Tags(HTMLParser):
    """Notes what a page loads, runs and describes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("words", [(), ("--names",)])
def test_the_page_needs_no_network_and_each_picture_has_a_table(
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
    pictures = [attributes["aria-label"] for name, attributes in tags if name == "svg"]
    assert len(pictures) == 3
    assert all(f"<caption>{picture}</caption>" in text for picture in pictures)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_a_learner_runs_on_the_page_and_it_reads_light_and_dark(
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
    assert view.evaluate("document.documentElement.scrollWidth") <= 1100
    view.set_viewport_size({"width": 360, "height": 800})
    assert view.evaluate("document.documentElement.scrollWidth") <= 360
    view.close()


def test_texts_are_escaped_wherever_they_stand() -> None:
    shown = table("<caption>", ["<a>", "b"], [["<b>", "<i>"]])
    assert "<b>" not in shown
    assert "<i>" not in shown
    assert "&lt;caption&gt;" in shown


def test_an_old_journal_is_read_and_what_it_lacks_is_said(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Course(tmp_path)
    old.hand_in("berta", written("neuron", weighted_sum=BIAS_TWICE["berta"]))
    old.autograde()
    records = old.journal()
    for record in records:
        for exercise in record.get("result", {}).get("exercises", {}).values():
            exercise.pop("unexplained", None)
    old.journal_file.write_text(
        "".join(json.dumps(record) + "\n" for record in records), encoding="utf-8"
    )
    monkeypatch.chdir(old.root)
    assert groups(old) == []
    assert "1 more answer can&#x27;t be grouped" in written_page(old)


def test_who_hands_in_anew_is_counted_and_the_example_is_never_another_notebook(
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
    assert "Their code can&#x27;t be shown" in text
    assert "<pre>" not in text


def test_each_kind_of_bad_input_gets_one_sentence(
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
    assert said("neuron").startswith("Nobody has handed in neuron")
    course.hand_in("frida", solved("neuron"))
    assert (
        said("neuron")
        == "None of the 1 hand-ins of neuron is in the journal that insights are made from; run grader autograde neuron first"
    )
    assert (
        said("neuron", "--csv", "moodle")
        == "The gradebook has no points for neuron; run grader autograde neuron"
    )
    course.autograde()
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert said("neuron", "--output", "file/page.html").startswith("Stopped: ")
    Path(course_directory(course.root).db_url.removeprefix("sqlite:///")).write_bytes(
        b"no database, and long enough to be taken for one" * 50
    )
    assert "damaged" in said("neuron")


@pytest.mark.long
def test_a_made_up_class_is_told_in_full_and_its_groups_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(tmp_path)
    made = sample_class(course.root, lesson("neuron"), 42)
    submit(
        course.root / "class" / "submitted",
        "neuron",
        {name: one for name, one in made.items() if "hostile" not in name},
        random.Random(1),
    )
    course.autograde(workers=2)
    monkeypatch.chdir(course.root)
    of_class = gather(course.root, lesson("neuron"))
    assert len(of_class.works) == 40
    found = groups_of(of_class)
    assert found
    assert {student.split("_")[1] for group in found for student in group.students} == {"wrong"}
    assert len({(group.exercise, group.example) for group in found}) == len(found), (
        "one mistake is one group"
    )
    course.autograde(regrade=True, seed=5)
    again = groups_of(gather(course.root, lesson("neuron")))
    assert sorted(group.students for group in again) == sorted(group.students for group in found)
    assert written_page(course).count('class="card"') == len(found)


def test_a_record_of_the_journal_stays_small_whatever_an_answer_returns(tmp_path: Path) -> None:
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
