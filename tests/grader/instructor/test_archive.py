"""A class in one file: another machine continues, and a copy with pseudonyms names nobody."""

from __future__ import annotations

import io
import json
import re
import shutil
import sqlite3
import stat
import zipfile
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest
from classroom import EARLY, LATE, Course, one_worker
from nbgrader.api import Gradebook

from course import copy_of_the_course, solved, written
from grader.author.lesson import load_lesson
from grader.cli import main
from grader.errors import UserError
from grader.insights.gather import gather
from grader.insights.groups import groups_of
from grader.insights.page import page
from grader.instructor import archive
from grader.instructor.anonymize import _rename_in_gradebook, anonymize
from grader.instructor.archive import class_files, restore
from grader.instructor.pseudonyms import Pseudonyms

ROSTER = """\
First name,Last name,Username,Email address,ID
Robert,Smith,bsmith1,robert.smith@uni.example,4000001
Robert,Smith,bsmith2,robert@uni.example,4000002
Zoé,O'Neil,zoneil,zoe.oneil@uni.example,4000003
María José,Núñez-Krüger,mjnunez,maria@uni.example,4000004
Will,Power,will,will.power@uni.example,4000005
Max,An,max,max.an@uni.example,4000006
Adaline,Absent,aabsent,adaline@uni.example,4000007
"""
NAMES = [
    "Robert",
    "Smith",
    "Zoé",
    "O'Neil",
    "María",
    "José",
    "Núñez",
    "Krüger",
    "Adaline",
    "Absent",
]
IDS = [
    "bsmith1",
    "bsmith2",
    "zoneil",
    "mjnunez",
    "aabsent",
    *(f"400000{one}" for one in range(1, 8)),
]
MAILS = ["robert.smith@uni", "zoe.oneil@", "maria@", "will.power@", "max.an@", "Will Power"]
ODD = "def relu(z):\n    # María José Núñez-Krüger (mjnunez)\n    return 3 - np.maximum(z, 0)\n"


def signed(notebook: dict[str, Any], name: str, id: str) -> dict[str, Any]:
    """Return a notebook with its author's name where Jupyter, learners and tools put it."""
    notebook["metadata"]["authors"] = [{"name": name}, {name: {"home": f"/home/{id}/work"}}]
    text = f"By {name.upper()}, {normalize('NFD', name)}. Number 4000003, user {id}_x."
    cell = {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": [text]}
    stream = {"output_type": "stream", "name": "stdout", "text": f"/home/{id}/a.py by {name}\n"}
    code = {"cell_type": "code", "id": "own", "metadata": {}, "execution_count": 1}
    code |= {"source": f"print('{id}', {name!r}, np.max([1]))", "outputs": [stream]}
    notebook["cells"] += [cell, code]
    return notebook


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Return a class that is graded, late, extended, commented, and in two lessons."""
    course = Course(tmp_path_factory.mktemp("class"))
    (course.root / "students.csv").write_text(ROSTER, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course.root)
        assert main(["roster", "students.csv"]) == 0
    course.hand_in("bsmith1", signed(solved("neuron"), "Robert Smith", "bsmith1"))
    course.hand_in("bsmith2", signed(written("neuron", relu=ODD), "Robert Smith", "bsmith2"), LATE)
    notebook = json.dumps(signed(written("neuron", relu=ODD), "Zoé O'Neil", "zoneil")).encode()
    course.hand_in("zoneil", notebook)
    folder = course.hand_in("mjnunez", b'{"cells": [{"source": "Mar\\u00eda Jos\\u00e9, mjnunez"')
    (folder / "Núñez.zip").write_bytes(b"a scan of her passport")
    (folder / "neuron.ipynb.zip").write_bytes(b"a scan of her passport")
    (folder / "link").symlink_to("/etc/passwd")
    course.hand_in("will", signed(solved("neuron"), "Will Power", "will"))
    course.hand_in("max", solved("neuron"))
    (course.root / "class" / "submitted" / "max" / "loss").mkdir()
    (course.root / "class" / "nbgrader_config.py").write_text("c = get_config()\n")
    (course.root / "class" / "gradescope").mkdir()
    (course.root / "class" / "gradescope" / ".secret").write_text("a secret")
    (course.root / "class" / "gradescope" / ".secret").chmod(0o600)
    for lesson in ("neuron", "loss"):
        (course.root / "class" / "attempts" / "1" / "max" / lesson).mkdir(parents=True)
        (course.root / "class" / "attempts" / "1" / "max" / lesson / "note").write_text("")
    (course.root / "course" / "neuron" / ".ipynb_checkpoints").mkdir()
    for name in ("exchange/inbound/zoneil+neuron", "insights", "journal"):
        (course.root / "class" / name).mkdir(parents=True, exist_ok=True)
    (course.root / "class" / "insights" / "neuron-moodle.csv").write_text("zoneil,10")
    (course.root / "class" / "journal" / "loss.jsonl").write_text("")
    course.punish_lateness()
    with one_worker():
        course.autograde()
        with course.gradebook() as gradebook:
            gradebook.find_submission("neuron", "zoneil").extension = timedelta(days=2)
            comment = gradebook.find_comment("relu", "neuron", "neuron", "zoneil")
            comment.manual_comment = "Zoé, see Robert Smith."
            gradebook.find_grade("check-relu", "neuron", "neuron", "will").manual_score = 0.5
            gradebook.update_or_create_assignment("loss")
            gradebook.db.commit()
        course.hand_in("max", signed(written("neuron", relu=ODD), "Max An", "max"))
        course.autograde()
    reasons = json.dumps({"neuron": {"zoneil": "her mother, Mrs O'Neil, is ill"}})
    (course.root / "class" / "extensions.json").write_text(reasons)
    return course


def command(course: Course, *words: str) -> tuple[str, int]:
    with pytest.MonkeyPatch.context() as patch, io.StringIO() as said:
        patch.chdir(course.root)
        patch.setattr("sys.stdout", said)
        code = main([*words])
        return said.getvalue(), code


def another_machine(folder: Path) -> Course:
    other: Course = object.__new__(Course)
    other.root = copy_of_the_course(folder)
    config = (folder / "nbgrader_config.py").read_text(encoding="utf-8")
    late = 'c.LateSubmissionPlugin.penalty_method = "zero"\n'
    (folder / "nbgrader_config.py").write_text(f"{config}\n{late}", encoding="utf-8")
    return other


def insights(course: Course, names: bool = False) -> str:
    results = gather(course.root, load_lesson(course.root / "solutions" / "neuron"))
    return page([(results, groups_of(results))], names)


def contents(course: Course) -> dict[str, bytes]:
    home = course.root / "class"
    found = (path for path in home.rglob("*") if path.is_file() and path.name != "gradebook.db")
    return {str(path.relative_to(home)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def archived(made: Course) -> Path:
    said, code = command(made, "archive", "neuron")
    assert code == 0
    assert "mjnunez/neuron/link was left out: it is a link" in said
    assert "keep it like class/" in said
    return made.root / "class" / "archive" / "neuron.zip"


def test_another_machine_continues_from_the_file(
    made: Course, archived: Path, tmp_path: Path
) -> None:
    other = another_machine(tmp_path)
    said, code = command(other, "archive", "--restore", str(archived))
    assert code == 0
    assert "neuron: 5 graded submissions; `grader autograde neuron` continues." in said
    assert "class/nbgrader_config.py came with it" in said
    assert other.points() == made.points()
    assert insights(other, names=True) == insights(made, names=True)
    mine, theirs = contents(made), contents(other)
    mine.pop("submitted/mjnunez/neuron/link")
    assert {name: mine[name] for name in theirs} == theirs
    left = {name.split("/")[0] for name in mine.keys() - theirs.keys()}
    assert "attempts/1/max/neuron/note" in theirs
    assert left == {"archive", "attempts", "insights", "journal"}, (
        "other lessons, and what is made again"
    )
    secret = other.root / "class" / "gradescope" / ".secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    with one_worker():
        again = other.autograde()
        assert (again.graded, len(again.kept), [*again.errors]) == ({}, 5, ["mjnunez"])
        other.hand_in("max", solved("neuron"))
        assert other.autograde().graded == {"max": 10.0}
    with other.gradebook() as gradebook:
        assert [one.name for one in gradebook.assignments] == ["neuron"]
        assert gradebook.find_student("zoneil").last_name == "O'Neil"
        assert gradebook.find_submission("neuron", "zoneil").extension == timedelta(days=2)
        assert gradebook.find_grade("check-relu", "neuron", "neuron", "will").manual_score == 0.5
        assert gradebook.find_comment("relu", "neuron", "neuron", "zoneil").comment


def test_restoring_twice_changes_nothing_and_overwrites_nothing(
    made: Course, archived: Path, tmp_path: Path
) -> None:
    other = another_machine(tmp_path)
    (other.root / "class").mkdir()
    (other.root / "class" / "extensions.json").write_text("{}")
    assert "extensions.json here is another" in "".join(restore(other.root, archived))
    before, points = contents(other), other.points()
    restore(other.root, archived)
    assert (contents(other), other.points()) == (before, points)
    other.hand_in("will", solved("neuron"), EARLY)
    with pytest.raises(UserError, match=r"submitted/will/neuron/neuron\.ipynb is here"):
        restore(other.root, archived)
    shutil.rmtree(other.root / "class" / "submitted")
    with sqlite3.connect(other.root / "class" / "gradebook.db") as connection:
        connection.execute("UPDATE assignment SET id = 'elsewhere'")
    with pytest.raises(UserError, match="has neuron already, and not from this archive"):
        restore(other.root, archived)
    assert not (other.root / "class" / "submitted").exists()


def test_another_lesson_is_added_to_a_gradebook(
    made: Course, archived: Path, tmp_path: Path
) -> None:
    other = another_machine(tmp_path)
    (other.root / "class").mkdir()
    with other.gradebook() as gradebook:
        gradebook.add_assignment("loss")
        gradebook.add_student("zoneil", first_name="Zoé")
        gradebook.add_student("new")
    restore(other.root, archived)
    assert other.points() == made.points()
    with other.gradebook() as gradebook:
        assert {one.name for one in gradebook.assignments} == {"neuron", "loss"}
        assert {one.id for one in gradebook.students} > {"new", "aabsent", "zoneil"}


def test_nothing_makes_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = another_machine(tmp_path).root
    monkeypatch.chdir(root)
    shared = root / "class" / "nbgrader_config.py"
    shared.parent.mkdir(exist_ok=True)
    shared.write_text("c = get_config()\n", encoding="utf-8")
    for words in (["archive", "neuron"], ["anonymize", "neuron"]):
        assert main(words) == 1
    said = capsys.readouterr().err
    assert "class/ holds nothing of neuron." in said
    assert "Nothing of neuron was submitted." in said


def test_another_version_of_the_lesson_is_named(archived: Path, tmp_path: Path) -> None:
    other = another_machine(tmp_path)
    source = other.root / "solutions" / "neuron" / "exercises.py"
    source.write_text(source.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (line, *_) = restore(other.root, archived)
    assert "by another version of the lesson or the grader: check out" in line


def zipped(files: dict[str, bytes], link: str = "") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = ((stat.S_IFLNK if name == link else stat.S_IFREG) | 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, content)
    return data.getvalue()


def database(*statements: str) -> bytes:
    with sqlite3.connect(":memory:") as connection:
        table = "CREATE TABLE alembic_version (version_num)"
        for one in ("PRAGMA page_size = 512", table, *statements):
            connection.execute(one)
        return connection.serialize()


TRIGGER = database(
    "CREATE TRIGGER more AFTER INSERT ON alembic_version BEGIN DELETE FROM alembic_version; END"
)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("../outside", b"", "its path leads out of the archive"),
        ("class/../../outside", b"", "its path leads out of the archive"),
        ("/etc/outside", b"", "its path leads out of the archive"),
        ("class/link", b"/etc/passwd", "it is a link"),
        ("class/bomb", bytes(5_000), "it is larger than"),
        ("class/exchange/x", b"", "class/exchange/x is never in one"),
        ("class/gradebook.db-journal", b"", "class/gradebook.db-journal is never in one"),
        ("class/submitted/ada/loss/x", b"", "class/submitted/ada/loss/x is never in one"),
        ("class/a.json/x", b"", "class/a.json/x is never in one"),
        ("class/gradebook.db", b"text", "gradebook is damaged, or holds more than tables"),
        ("class/gradebook.db", TRIGGER, "gradebook is damaged, or holds more than tables"),
        ("class/submitted/ada/way/out/x", b"", "leads out of class/ by a link"),
        ("archive.json", b"{}", "archive.json is missing or damaged"),
    ],
)
def test_a_foreign_archive_is_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, reason: str
) -> None:
    monkeypatch.setattr(archive, "BOUNDS", archive.Bounds(9, 10_000, 4_000, whole=True))
    course = another_machine(tmp_path / "course")
    (course.root / "class" / "submitted" / "ada" / "way").mkdir(parents=True)
    (course.root / "class" / "submitted" / "ada" / "way" / "out").symlink_to(tmp_path)
    manifest = {"format": 1, "commit": "", "grader_version": "", "lessons": {"neuron": ""}}
    manifest["anonymous"] = False
    files = {"archive.json": json.dumps(manifest).encode(), "class/a.json": b"{}", name: content}
    (tmp_path / "a.zip").write_bytes(zipped(files, link="class/link"))
    with pytest.raises(UserError, match=re.escape(reason)):
        restore(course.root, tmp_path / "a.zip")
    assert not (tmp_path / "outside").exists()
    assert contents(course) == {}


def test_what_is_no_archive_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = another_machine(tmp_path / "course")
    (tmp_path / "a.zip").write_bytes(b"text")
    with pytest.raises(UserError, match=r"a\.zip is no archive of `grader archive`"):
        restore(course.root, tmp_path / "a.zip")
    monkeypatch.setattr(archive, "BOUNDS", archive.Bounds(9, 10_000, 4_000, whole=True))
    (tmp_path / "a.zip").write_bytes(zipped({f"class/{one}": bytes(3_000) for one in range(5)}))
    with pytest.raises(UserError, match="holds more than"):
        restore(course.root, tmp_path / "a.zip")


def spellings(name: str) -> set[bytes]:
    """Return the ways in which a name may stand in a file, case apart."""
    texts = {name, normalize("NFD", name), escape(name), quote(name), json.dumps(name)[1:-1]}
    return {one.casefold().encode(code) for one in texts for code in ("utf-8", "utf-16-le")}


@pytest.fixture(scope="module")
def anonymous(made: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    said, code = command(made, "anonymize", "neuron")
    assert code == 0
    assert "7 students with pseudonyms." in said
    assert said.splitlines()[1].endswith("alone they stay in texts: an, max, power, will.")
    assert said.endswith("mjnunez/neuron/link was left out: it is a link or no ordinary file.\n")
    other = another_machine(tmp_path_factory.mktemp("anonymous"))
    restore(other.root, made.root / "class" / "archive" / "neuron-anonymous.zip")
    return other


def test_a_search_for_all_names_and_ids_finds_nothing(made: Course, anonymous: Course) -> None:
    def found(course: Course, folders: tuple[str, ...]) -> set[str]:
        home = course.root / "class"
        paths = [path for path in home.rglob("*") if path.relative_to(home).parts[0] in folders]
        data = b"\n".join(
            str(path.relative_to(home)).encode()
            + b"\n"
            + (path.read_bytes() if path.is_file() else b"")
            for path in paths
        )
        text = data.decode("utf-8", "replace").casefold().encode() + data.lower()
        wanted = [*NAMES, *IDS, *MAILS]
        return {name for name in wanted if any(one in text for one in spellings(name))}

    everywhere = tuple(path.name for path in (anonymous.root / "class").iterdir())
    assert found(made, ("submitted", "journal", "gradebook.db")) == {*NAMES, *IDS, *MAILS}
    assert found(anonymous, everywhere) == set()
    made_here = {"exchange"}  # by nbgrader_config.py
    assert {*everywhere} - made_here == {"submitted", "autograded", "journal", "gradebook.db"}
    assert "passport" not in f"{contents(anonymous)}"
    students = {path.name for path in (anonymous.root / "class" / "submitted").iterdir()}
    assert len(students) == 6
    assert all(re.fullmatch(r"student_\d", one) for one in students), "also of will and max"


def test_insights_of_a_class_with_pseudonyms_are_the_same(made: Course, anonymous: Course) -> None:
    assert insights(anonymous) == insights(made)
    assert sorted(anonymous.points().values()) == sorted(made.points().values())
    with one_worker():
        again = anonymous.autograde()
    assert (again.graded, len(again.kept), again.outdated) == ({}, 5, 0), "and it is up to date"


def test_programs_of_a_class_with_pseudonyms_still_work(anonymous: Course) -> None:
    with one_worker():
        changes = anonymous.autograde(regrade=True, dry=True)
    assert changes.changes == {}
    texts = [text.decode() for name, text in contents(anonymous).items() if "submitted" in name]
    assert any("np.max([1])" in text for text in texts)


def test_only_a_name_of_one_word_is_listed_as_left() -> None:
    students = {"0001_wrong": [], "an": ["An", "Lovelace"], "0042": []}
    assert Pseudonyms(students, ["an answer is wrong"]).left == {"an", "0042"}
    picture = f"iVBORw0KGgo{'A' * 60}/li/"
    assert Pseudonyms({"li": []}, [picture]).left == set(), "it is no word of the lesson"


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("Zoé", "ID1"),
        ("ZOE's code", "ID1's code"),
        (normalize("NFD", "by Zoé O'Neil."), "by ID1."),
        ("O&#39;Neil, Zoé", "ID1"),
        ("zoneil_neuron.ipynb", "ID1_neuron.ipynb"),
        ("zoneilx, xzoneil", "zoneilx, xzoneil"),
        ("seed = 4000003", "seed = 1"),
        ("Will it work? np.max(will)", "Will it work? np.max(will)"),
        ("Will Power", "ID2"),
        ("will.power@uni.example", "ID2"),
        (f"zoneil {'zoneil/' * 20}", f"ID1 {'zoneil/' * 20}"),
    ],
)
def test_names_are_replaced_word_by_word(
    monkeypatch: pytest.MonkeyPatch, text: str, replaced: str
) -> None:
    monkeypatch.setattr("grader.instructor.pseudonyms.SystemRandom.shuffle", lambda *_: None)
    students = {
        "zoneil": ["Zoé", "O'Neil", "O'Neil Zoé", "Zoé O'Neil", "4000003"],
        "will": ["Will", "Power", "Will Power", "will.power@uni.example"],
    }
    pseudonyms = Pseudonyms(students, ["It will work with power."])
    ids = pseudonyms.ids["zoneil"], pseudonyms.ids["will"]
    assert pseudonyms.text(text) == replaced.replace("ID1", ids[0]).replace("ID2", ids[1])
    assert pseudonyms.left == {"will", "power"}


def test_a_notebook_has_room_before_the_files_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(tmp_path)
    folder = course.hand_in("ada", solved("neuron"), None)
    (folder / "a.bin").write_bytes(bytes(60))
    monkeypatch.setattr(archive, "MAX_BYTES", (folder / "neuron.ipynb").stat().st_size + 10)
    monkeypatch.setattr(archive, "MIN_SIZE", 1)
    files, left_out = archive.class_files(course.root, ["neuron"])
    assert [*files] == ["class/submitted/ada/neuron/neuron.ipynb"]
    assert [*left_out] == ["More of submitted/ada/neuron"]


def test_a_notebook_of_another_name_is_archived_before_it_is_graded(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    folder = course.root / "class" / "submitted" / "ann"
    folder.mkdir(parents=True)
    (folder / "my work.ipynb").write_text(json.dumps(solved("neuron")), encoding="utf-8")
    lesson = load_lesson(course.root / "solutions" / "neuron")
    assert archive.write_archive(course.root, [lesson], tmp_path / "neuron.zip") == []


def test_a_linked_folder_is_told(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.hand_in("ada", solved("neuron"))
    submitted = course.root / "class" / "submitted"
    submitted.rename(course.root.parent / "disk")
    submitted.symlink_to(course.root.parent / "disk")
    _, left_out = class_files(course.root, ["neuron"])
    assert left_out == {"submitted": "it is a link or no ordinary file"}


def test_a_folder_whose_name_is_no_text_stops_no_archive_with_pseudonyms(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    for student in ("ada", "J\udcfcrgen"):  # as an old archive with Latin-1 is unpacked
        course.hand_in(student, solved("neuron"))
    course.autograde()
    archive = tmp_path / "neuron.zip"
    count, _, _ = anonymize(
        course.root, [load_lesson(course.root / "solutions" / "neuron")], archive
    )
    assert count == 2
    with zipfile.ZipFile(archive) as file:
        assert not any("rgen" in name or "ada" in name for name in file.namelist())


def test_ids_that_look_like_pseudonyms(tmp_path: Path) -> None:
    ids = [f"student_{number}" for number in range(1, 9)]
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "course") as gradebook:
        for id in ids:
            gradebook.add_student(id)
    _rename_in_gradebook(tmp_path / "gradebook.db", Pseudonyms({id: [] for id in ids}, []))
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "course") as gradebook:
        assert sorted(one.id for one in gradebook.students) == ids
