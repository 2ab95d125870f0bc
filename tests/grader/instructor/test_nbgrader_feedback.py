"""Pages of feedback are always current, made within limits, and the same that nbgrader makes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from classroom import EARLY, LATE, Course
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import from_dict
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import GetGrades
from nbgrader.utils import notebook_hash

from course import LESSONS, lesson, solved, written
from grader.cli import main
from grader.instructor.feedback import feedback_notebook, load_submitted, released
from grader.instructor.feedback_page import FeedbackExporter, Pages
from grader.instructor.gradebook import course_directory
from grader.instructor.journal import Grading
from grader.instructor.release import release
from grader.instructor.run import ExerciseResult, Result
from grader.instructor.run_id import RunId
from grader.instructor.sample_class import sample_class

LEAKS = "def relu(z):\n    return np.where(z > 0, z, 0.1 * z)\n"
CLASS = {
    "ada": solved("neuron"),
    "ben": written("neuron", dense="...", relu=LEAKS),
    "cleo": written("neuron", sigmoid="...", relu=LEAKS),
    "dan [1]": solved("neuron"),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Grade a class of four, of which one came late, before there is a due date."""
    course = Course(tmp_path_factory.mktemp("course"))
    for student, notebook in CLASS.items():
        course.hand_in(student, notebook, LATE if student == "ben" else EARLY)
    course.autograde()
    return course


def pages(course: Course) -> dict[str, Path]:
    """Return the pages by student."""
    found = (course.root / "class" / "feedback").glob("*/neuron/neuron.html")
    return {path.parents[1].name: path for path in found}


def feedback(course: Course, *words: str) -> set[str]:
    """Run `grader feedback`; return the students whose page was written.

    Raises:
        AssertionError: the command wrote other pages than it said, or a page has other points than
            the gradebook.
    """
    for path in pages(course).values():
        os.utime(path, (0, 0))
    assert main(["feedback", "neuron", *words]) == 0
    new = {student for student, path in pages(course).items() if path.stat().st_mtime > 0}
    with course.gradebook() as gradebook:
        for one in gradebook.assignment_submissions("neuron"):
            (notebook,) = one.notebooks
            points = notebook.score - (notebook.late_submission_penalty or 0)
            page = pages(course)[one.student.id].read_text(encoding="utf-8")
            assert f"<h1>{points:.4g} of 10 points</h1>" in page, one.student.id
    return new


def test_exactly_the_pages_that_something_changed_are_written(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    everyone = {*CLASS}
    assert feedback(course) == everyone
    assert capsys.readouterr().out == "neuron: 4 pages written, 0 unchanged.\n"
    assert feedback(course) == set()
    assert capsys.readouterr().out == "neuron: 0 pages written, 4 unchanged.\n"
    with course.gradebook() as gradebook:
        gradebook.find_grade("check-dense", "neuron", "neuron", "ada").manual_score = 1.5
        gradebook.find_comment("relu", "neuron", "neuron", "cleo").manual_comment = "Look again."
        gradebook.db.commit()
    assert feedback(course) == {"ada", "cleo"}
    assert "<b>Comment:</b> <p>Look again.</p>" in pages(course)["cleo"].read_text(encoding="utf-8")
    course.punish_lateness()
    course.autograde()
    assert feedback(course) == {"ben"}
    assert "Submitted late" in pages(course)["ben"].read_text(encoding="utf-8")
    main(["extend", "neuron", "ben", "--days", "9", "--reason", "ill"])
    course.autograde()
    assert feedback(course) == {"ben"}
    course.hand_in("cleo", solved("neuron"))
    course.autograde()
    assert feedback(course) == {"cleo"}
    course.autograde(regrade=True, seed=7)
    assert feedback(course, "--student", "ben") == {"ben"}
    assert feedback(course) == everyone - {"ben"}


def test_nbgraders_command_and_formgraders_button_do_the_same(course: Course) -> None:
    assert feedback(course) == {*CLASS}
    before = {student: path.read_bytes() for student, path in pages(course).items()}
    pages(course)["ben"].write_text("damaged", encoding="utf-8")
    for student in ("ada", "dan [1]"):
        os.utime(pages(course)[student], (0, 0))
    assert "1 page written, 3 unchanged" in course.nbgrader("generate_feedback", "neuron")
    assert {student: path.read_bytes() for student, path in pages(course).items()} == before
    with course.gradebook() as gradebook:
        gradebook.find_grade("check-dense", "neuron", "neuron", "ada").manual_score = 1.5
        gradebook.db.commit()
    done = course.formgrader().generate_feedback("neuron", "ada", force=True)
    assert "1 page written, 0 unchanged" in done["log"]
    done = course.formgrader().generate_feedback("neuron")
    assert "0 pages written, 4 unchanged" in done["log"]
    assert feedback(course) == set()


def test_a_page_lies_with_the_files_that_its_release_needs_and_no_key(course: Course) -> None:
    secret = course.root / "class" / "autograded" / "ada" / "neuron" / "submission_secret.txt"
    secret.write_text("first", encoding="utf-8")
    feedback(course)
    names = ["neuron.html", "submission_secret.txt", "timestamp.txt"]
    assert sorted(os.listdir(pages(course)["ada"].parent)) == names
    secret.write_text("second", encoding="utf-8")
    assert feedback(course) == set()
    copy = pages(course)["ada"].with_name("submission_secret.txt")
    assert copy.read_text(encoding="utf-8") == "second"


def test_a_student_without_points_has_no_page_and_is_named(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    feedback(course)
    with course.gradebook() as gradebook:
        gradebook.remove_submission("neuron", "ben")
    assert main(["feedback", "neuron"]) == 3
    assert "  ben: the gradebook has no points of it; grade it again." in capsys.readouterr().out
    assert "ben" not in pages(course)


def test_a_page_that_takes_its_process_down_costs_only_itself(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Pages.page

    def page(self: Pages, nb: Any, resources: Any) -> str:
        if resources["nbgrader"]["student"] == "ben" and len(nb.cells) > 10:
            os._exit(1)
        return make(self, nb, resources)

    monkeypatch.setattr(Pages, "page", page)
    assert feedback(course) == {*CLASS}
    assert "  ben: its process ended (1)." in capsys.readouterr().out
    text = pages(course)["ben"].read_text(encoding="utf-8")
    assert "Your notebook can’t be shown" in text.replace("'", "’")
    assert "leaky ReLU" in text


def nbgraders_way(course: Course) -> dict[str, bytes]:
    """Return the pages that nbgrader's own loop makes with this course's template."""
    for path in pages(course).values():
        path.unlink()
    coursedir = course_directory(course.root)
    coursedir.assignment_id = "neuron"
    loop = GenerateFeedback(coursedir=coursedir, config=coursedir.config)
    loop.exporter_class = FeedbackExporter
    loop.preprocessors, loop.force = [GetGrades, CSSHTMLHeaderPreprocessor], True
    loop.start()
    return {student: path.read_bytes() for student, path in pages(course).items()}


def test_the_bytes_are_those_of_nbgraders_own_loop(course: Course) -> None:
    course.punish_lateness()
    course.autograde()
    with course.gradebook() as gradebook:
        gradebook.find_grade("check-dense", "neuron", "neuron", "ada").extra_credit = 0.3
        gradebook.find_comment("relu", "neuron", "neuron", "ada").manual_comment = "$x$ & <b>y</b>"
        gradebook.db.commit()
    feedback(course)
    ours = {student: path.read_bytes() for student, path in pages(course).items()}
    assert nbgraders_way(course) == ours


def result(name: str) -> Result:
    """Return a result of a lesson with every kind of text in it."""
    one: ExerciseResult = {
        "state": "missed",
        "points": 0.0,
        "max_points": 1.0,
        "passed": ["shape"],
        "missed": ["value", "error/<empty> input"],
        "hint": "Use x < y & z.",
        "note": None,
        "failed": ("The first case & its text", [("x", "[<1>]"), ("yours", "1")]),
    }
    exercises = dict.fromkeys(lesson(name).exercises, one)
    return {"points": 0.0, "max_points": 1.0, "exercises": exercises, "repaired": ["<p>It was."]}


@pytest.mark.parametrize("name", LESSONS)
def test_parts_make_the_same_page_as_a_whole_for_each_lesson_and_kind(name: str) -> None:
    release, exporter = released(lesson(name)), FeedbackExporter(template_name="classic")
    pages, grading = Pages(exporter), Grading("", "", "", RunId("", "", 1), 0, None, time.time())
    about = {"notebook": name, "score": 1 / 3, "max_score": 2.0, "late_penalty": 0.25}
    made = sample_class(lesson(name), 21)
    texts = [json.dumps(one).encode() for one in made.values() if isinstance(one, dict)]
    assert len(texts) >= 20
    for text in texts:
        nb = from_dict(
            feedback_notebook(release, load_submitted(release, text), result(name), grading, None)
        )
        for cell in nb.cells:
            if cell.metadata.get("nbgrader", {}).get("grade"):
                cell.metadata.nbgrader |= {"score": 0.5, "points": 1.0}
        assert pages.page(nb, {"nbgrader": about}) == pages.whole(nb, {"nbgrader": about})


def test_release_leaves_out_who_did_not_submit_by_the_exchange(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    for student in ("ada", "dan [1]"):
        folder = course.root / "class" / "autograded" / student / "neuron"
        (folder / "submission_secret.txt").write_text(student, encoding="utf-8")
    assert main(["release", "neuron"]) == 3
    said = capsys.readouterr().out
    assert (
        "neuron: 4 pages written, 0 unchanged.\n2 pages released.\nLeft out:\n  ben: it did" in said
    )
    exchange = course.root / "class" / "exchange" / "neural_network_basics" / "feedback"
    given = {path.read_bytes() for path in exchange.glob("*.html")}
    assert given == {pages(course)[student].read_bytes() for student in ("ada", "dan [1]")}
    for path in exchange.glob("*.html"):
        path.unlink()
    said = course.nbgrader("release_feedback", "neuron")
    assert "ben was left out: it did not come through the exchange" in said
    assert len([*exchange.glob("*.html")]) == 2
    for path in exchange.glob("*.html"):
        path.unlink()
    course.nbgrader("release_feedback", "neuron", "--CourseDirectory.student_id_exclude=ada")
    assert len([*exchange.glob("*.html")]) == 1
    assert main(["release", "neuron", "--student", "ada"]) == 0
    pages(course)["ada"].unlink()
    assert release(course.root, "neuron").released == ["dan [1]"]


def test_a_page_is_released_under_the_name_of_the_learners_notebook(course: Course) -> None:
    """The learner's nbgrader looks for a page under the name of the file that was submitted."""
    for place in ("submitted", "autograded"):
        folder = course.root / "class" / place / "ada" / "neuron"
        (folder / "submission_secret.txt").write_text("secret", encoding="utf-8")
    submitted = course.root / "class" / "submitted" / "ada" / "neuron"
    (submitted / "neuron.ipynb").rename(submitted / "my neuron.ipynb")
    course.autograde()
    assert main(["release", "neuron", "--student", "ada"]) == 0
    exchange = course.root / "class" / "exchange" / "neural_network_basics" / "feedback"
    for name in ("neuron", "my neuron"):
        page = exchange / f"{notebook_hash(secret='secret', notebook_id=name)}.html"
        assert page.read_bytes() == pages(course)["ada"].read_bytes()


SPOILED = {
    "a secret that is no text": ("submission_secret.txt", b"\xff"),
    "an empty secret": ("submission_secret.txt", b""),
    "a page that is a folder": ("neuron.html/x", b""),
    "another page that is a folder": ("x.html/x", b""),
    "a page whose name is no text": ("\udcff.html", b""),
    "a name too long for its temporary file": ("n" * 250, b""),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_files_of_a_submission_stop_no_page_and_no_release_of_another(
    course: Course, capsys: pytest.CaptureFixture[str], spoiled: str
) -> None:
    name, data = SPOILED[spoiled]
    for student in ("ada", "ben", "cleo"):
        folder = course.root / "class" / "autograded" / student / "neuron"
        (folder / "submission_secret.txt").write_text(student, encoding="utf-8")
    path = course.root / "class" / "autograded" / "ada" / "neuron" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    assert feedback(course) == {*CLASS}
    assert feedback(course) == set()
    assert main(["release", "neuron"]) == 3
    exchange = course.root / "class" / "exchange" / "neural_network_basics" / "feedback"
    given = {path.read_bytes() for path in exchange.glob("*.html")}
    assert given >= {pages(course)[student].read_bytes() for student in ("ben", "cleo")}


def test_nothing_graded_is_an_error(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", "loss"]) == 1
    assert main(["feedback", "neuron", "--student", "eve"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "No submission of loss is graded: grader autograde loss."
    assert second.startswith("No submission of neuron from eve is graded. `grader roster`")
