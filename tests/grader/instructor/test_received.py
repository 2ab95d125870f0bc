"""`grader collect` takes what Moodle and Canvas give, and says what it can't be certain of."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from unicodedata import normalize

import pytest
from classroom import Course

from course import learners_notebook, solved
from grader.cli import main

DONE = json.dumps(solved("neuron")).encode()
OTHER = json.dumps({**solved("neuron"), "nbformat_minor": 4}).encode()
UNTOUCHED = json.dumps(learners_notebook("neuron")).encode()
FILE = "assignsubmission_file"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    course = Course(tmp_path / "course")
    monkeypatch.chdir(course.root)
    return course


def download(course: Course, files: dict[str, bytes], name: str = "download.zip") -> Path:
    """Write an archive as an LMS gives it, beside the course."""
    path = course.root.parent / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, content in files.items():
            archive.writestr(inside, content)
    return path


def archived(files: dict[str, bytes]) -> bytes:
    """Return an archive of these files, as a learner makes one."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for inside, content in files.items():
            archive.writestr(inside, content)
    return data.getvalue()


def collected(course: Course) -> dict[str, bytes]:
    """Return the files in class/submitted by path."""
    submitted = course.root / "class" / "submitted"
    files = (path for path in submitted.rglob("*") if path.is_file())
    return {path.relative_to(submitted).as_posix(): path.read_bytes() for path in files}


def record(course: Course) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(
        (course.root / "class" / "received" / "neuron.json").read_text(encoding="utf-8")
    )
    return found


def enrol(course: Course, **people: tuple[str, str, str]) -> None:
    """Put students into the gradebook: first name, last name, id in the LMS."""
    with course.gradebook() as gradebook:
        for id, (first, last, lms) in people.items():
            gradebook.add_student(id, first_name=first, last_name=last, lms_user_id=lms)


def collect(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    code = main(["collect", "neuron", *map(str, words)])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("end", ["", "_"])
def test_moodles_folders_are_taken_with_their_names(
    course: Course, capsys: pytest.CaptureFixture[str], end: str
) -> None:
    archive = download(
        course,
        {
            f"Ada Lovelace_1234567_{FILE}{end}/neuron.ipynb": DONE,
            f"{normalize('NFD', 'Zoë Krüger')}_1234568_{FILE}{end}/neuron (1).ipynb": DONE,
            f"Bo O'Neill_1234569_{FILE}{end}/work/neuron.ipynb": DONE,
            f"Bo O'Neill_1234569_{FILE}{end}/timestamp.txt": b"2020-01-01 00:00:00 UTC",
            f"Group A_55_{FILE}{end}/neuron.ipynb": DONE,
            "Cy Young_1234570_assignsubmission_onlinetext/onlinetext.html": b"<p>Sorry</p>",
        },
    )
    code, said = collect(capsys, archive)
    assert code == 3
    assert "neuron: 5 submissions (5 new, 0 updated, 0 unchanged)." in said
    assert (
        "Cy Young: neuron.ipynb is missing; onlinetext.html is there (a text was submitted" in said
    )
    assert collected(course).keys() == {
        "Ada Lovelace/neuron/neuron.ipynb",
        "Zoë Krüger/neuron/neuron (1).ipynb",
        "Bo O'Neill/neuron/work/neuron.ipynb",
        "Group A/neuron/neuron.ipynb",
        "Cy Young/neuron/onlinetext.html",
    }
    assert record(course)["Ada Lovelace"] == {
        "system": "Moodle",
        "id": "1234567",
        "name": "Ada Lovelace",
        "late": False,
        "archive": "download.zip",
        "files": {"neuron.ipynb": f"Ada Lovelace_1234567_{FILE}{end}/neuron.ipynb"},
        "digest": record(course)["Ada Lovelace"]["digest"],
    }
    graded = course.autograde()
    assert {*graded.graded.values()} == {10.0}
    assert graded.errors == {"Cy Young": "neuron.ipynb is missing; onlinetext.html is there"}


def test_moodles_flat_files_and_blind_marking(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = download(
        course,
        {
            f"Ada Lovelace_1_{FILE}_neuron.ipynb": DONE,
            f"Participant_7_{FILE}_neuron.ipynb": DONE,
            f"Bob Smith_2_{FILE}_neuron.ipynb": DONE,
            f"Bob Smith_3_{FILE}_neuron.ipynb": OTHER,
        },
    )
    assert collect(capsys, archive)[0] == 0
    assert collected(course) == {
        "Ada Lovelace/neuron/neuron.ipynb": DONE,
        "Participant 7/neuron/neuron.ipynb": DONE,
        "Bob Smith 2/neuron/neuron.ipynb": DONE,
        "Bob Smith 3/neuron/neuron.ipynb": OTHER,
    }


def test_canvas_names_lateness_and_second_uploads(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = download(
        course,
        {
            "lovelaceada_12345_678_neuron.ipynb": DONE,
            "krügerzoë_LATE_12346_700_neuron.ipynb": UNTOUCHED,
            "krügerzoë_LATE_12346_701_neuron-1.ipynb": DONE,
            "oneillbo_12347_702_neuron-1.ipynb": DONE,
            "anon_Xy12Z_703_my_neuron.ipynb": DONE,
            "youngcy_12348_text.html": b"<p>Sorry</p>",
            "roeviv_12349_710_week-1.ipynb": DONE,
            "roeviv_12349_711_week-2.ipynb": OTHER,
        },
    )
    code, said = collect(capsys, archive)
    assert code == 3
    assert "Late according to Canvas: krügerzoë 12346." in said
    assert "youngcy 12348: neuron.ipynb is missing; text.html is there (a text" in said
    assert "roeviv 12349: week-1.ipynb and week-2.ipynb could both be meant" in said
    files = collected(course)
    assert files["krügerzoë 12346/neuron/neuron.ipynb"] == DONE
    assert files["krügerzoë 12346/neuron/earlier/700-neuron.ipynb"] == UNTOUCHED
    assert {"oneillbo 12347/neuron/neuron-1.ipynb", "anon_Xy12Z/neuron/my_neuron.ipynb"} <= {*files}
    assert record(course)["krügerzoë 12346"]["late"] is True
    assert course.autograde().errors.keys() == {"roeviv 12349", "youngcy 12348"}


def test_an_archive_in_canvas_download_is_one_students(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    download(
        course,
        {
            "lovelaceada_12345_678_neuron.ipynb": DONE,
            "oneillbo_12347_702_work.zip": archived({"work/neuron/neuron.ipynb": DONE}),
            "roeviv_12349_710_neuron.ipynb.zip": archived({"neuron.ipynb": DONE}),
        },
    )
    assert collect(capsys, course.root.parent / "download.zip")[0] == 0
    people = {"lovelaceada 12345", "oneillbo 12347", "roeviv 12349"}
    assert {name.partition("/")[0] for name in collected(course)} == people
    assert course.autograde().graded == dict.fromkeys(sorted(people), 10)
    assert main(["feedback", "neuron"]) == 0
    assert main(["return", "neuron", "canvas"]) == 0
    (page,) = (course.root / "class" / "return").glob("*canvas*.zip")
    assert {Path(name).stem for name in zipfile.ZipFile(page).namelist()} == {
        "lovelaceada_12345_678_neuron",
        "oneillbo_12347_702_work.zip",
        "roeviv_12349_710_neuron.ipynb.zip",
    }


def test_names_in_a_folder_may_have_dots_and_endings(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = course.root.parent / "folder"
    folder.mkdir()
    (folder / "ada.lovelace.ipynb").write_bytes(DONE)
    (folder / "ada.byron.ipynb").write_bytes(OTHER)
    (folder / "bo.zip").write_bytes(archived({"neuron/neuron.ipynb": DONE}))
    enrol(course, **dict.fromkeys(("ada.lovelace", "ada.byron", "bo"), ("", "", "")))
    assert collect(capsys, folder)[0] == 0
    students = {name.partition("/")[0] for name in collected(course)}
    assert students == {"ada.lovelace", "ada.byron", "bo"}


def test_a_roster_says_who_is_matched_who_is_not_and_who_is_missing(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(
        course,
        ada=("Ada", "Lovelace", ""),
        bob1=("Bob", "Smith", ""),
        bob2=("Bob", "Smith", "99"),
        zoe=("Zoë", "Krüger", ""),
        oneill=("Bo", "O'Neill", ""),
        dee=("Dee", "Day", ""),
    )
    archive = download(
        course,
        {
            f"Ada Lovelace_1_{FILE}/neuron.ipynb": DONE,
            f"KRÜGER Zoë_2_{FILE}/neuron.ipynb": DONE,
            f"Bo ONeill_3_{FILE}/neuron.ipynb": DONE,
            f"Bob Smith_4_{FILE}/neuron.ipynb": DONE,
            f"Eve New_5_{FILE}/neuron.ipynb": DONE,
        },
    )
    code, said = collect(capsys, archive)
    assert code == 3
    assert "neuron: 3 submissions" in said
    assert "Bob Smith (4): bob1 and bob2 have this name" in said
    assert "Eve New (5): it is not in the roster. If you know whose it is: " in said
    assert "Missing: 3 of the roster: bob1, bob2, dee." in said
    settled = collect(capsys, archive, "--student", "4=bob2", "--student", "5=eve")
    assert settled[0] == 0, settled
    code, said = collect(capsys, archive, "--student", "44=bob1")
    assert (code, "--student 44=…: no upload has the name or id 44" in said) == (3, True)
    assert "5 submissions (2 new, 0 updated, 3 unchanged)" in settled[1]
    assert {name.partition("/")[0] for name in collected(course)} == {
        *("ada", "zoe", "oneill", "bob2", "eve")
    }
    assert "(0 new, 0 updated, 5 unchanged)" in collect(capsys, archive)[1], "it is remembered"
    canvas = download(course, {"smithbob_99_1_neuron.ipynb": OTHER}, "canvas.zip")
    assert "1 submission (0 new, 1 updated, 0 unchanged)" in collect(capsys, canvas)[1]
    assert collected(course)["bob2/neuron/neuron.ipynb"] == OTHER


def test_moodles_number_of_an_upload_is_no_students_id(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(course, **{"7": ("Ada", "Lovelace", "8"), "9": ("Zoë", "Krüger", "")})
    files = {
        f"Zoë Krüger_7_{FILE}/neuron.ipynb": DONE,
        f"Ada Lovelace_9_{FILE}/neuron.ipynb": OTHER,
    }
    assert collect(capsys, download(course, files))[0] == 0
    assert collected(course) == {"9/neuron/neuron.ipynb": DONE, "7/neuron/neuron.ipynb": OTHER}


def test_two_uploads_of_one_student_are_not_mixed(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(course, bob=("Bob", "Smith", ""))
    files = {f"Bob Smith_{number}_{FILE}/neuron.ipynb": DONE for number in (1, 2)}
    code, said = collect(capsys, download(course, files))
    assert code == 3
    assert said.count("2 uploads could be by bob") == 2
    assert collected(course) == {}


def test_a_new_download_keeps_the_earlier_submission_and_the_instructors_repairs(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"Ada Lovelace_1_{FILE}/neuron.ipynb"
    collect(capsys, download(course, {name: UNTOUCHED}))
    mine = course.root / "class/submitted/Ada Lovelace/neuron/neuron.ipynb"
    mine.write_bytes(OTHER)
    assert "1 unchanged" in collect(capsys, download(course, {name: UNTOUCHED}))[1]
    assert mine.read_bytes() == OTHER
    first = download(course, {name: UNTOUCHED})
    assert "1 updated" in collect(capsys, first, download(course, {name: DONE}, "second.zip"))[1]
    assert mine.read_bytes() == DONE
    kept = course.root / "class" / "received" / "neuron" / "Ada Lovelace-1" / "neuron.ipynb"
    assert kept.read_bytes() == OTHER


@pytest.mark.parametrize("above", ["", "hand in/", "neuron/", "submitted/"])
def test_a_plain_folder_has_a_folder_for_each_student(
    course: Course, capsys: pytest.CaptureFixture[str], above: str
) -> None:
    folder = course.root.parent / "folder"
    for name, content in {
        "ada/neuron/neuron.ipynb": DONE,
        "ada/neuron/timestamp.txt": b"2026-10-01 12:00:00 UTC",
        "ada/loss/loss.ipynb": json.dumps(solved("loss")).encode(),
        "bo/mine.ipynb": DONE,
        "cy/neuron/neuron/neuron.ipynb": DONE,
    }.items():
        (folder / above / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / above / name).write_bytes(content)
    assert collect(capsys, folder)[0] == 0
    assert collected(course).keys() == {
        "ada/neuron/neuron.ipynb",
        "ada/neuron/timestamp.txt",
        "bo/neuron/mine.ipynb",
        "cy/neuron/neuron/neuron.ipynb",
    }
    assert course.autograde().graded == {"ada": 10, "bo": 10, "cy": 10}


def test_a_notebook_or_an_archive_is_taken_for_the_student_that_is_named(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = course.root.parent / "neuron.ipynb"
    notebook.write_bytes(DONE)
    code, said = collect(capsys, notebook)
    assert (code, collected(course)) == (3, {})
    assert "it is named after a lesson. If you know whose it is: `grader collect neuron" in said
    assert collect(capsys, notebook, "--student", "ada")[0] == 0
    place = course.hand_in("bo", DONE)
    (place / "neuron.ipynb").unlink()
    zipped = archived({"x/y/neuron.ipynb": DONE, "x/y/notes.txt": b"mine"})
    (place / "neuron.ipynb.zip").write_bytes(zipped)
    (error,) = course.autograde(students=["bo"]).errors.values()
    command = error.partition("`grader ")[2].partition("`")[0].split()
    assert main(command) == 0
    assert {"ada/neuron/neuron.ipynb", "bo/neuron/neuron.ipynb"} <= collected(course).keys()
    assert "bo/neuron/timestamp.txt" in collected(course)


def test_a_name_that_is_no_folder_is_refused(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = download(course, {f"Ada_1_{FILE}/neuron.ipynb": DONE})
    for name in ("../ada", ".", "a[1]", ""):
        assert main(["collect", "neuron", str(archive), "--student", f"1={name}"]) == 1
    assert "can't be a student's folder" in capsys.readouterr().err
    assert collected(course) == {}


def test_a_strange_name_in_a_download_is_a_folders_name(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["../../etc", "O..", "a[1]?*#%_. ", "x" * 200, "C:\\evil", "Ev\x9b2J\u202ee"]
    files = {f"{name}_{n}_{FILE}/neuron.ipynb": DONE for n, name in enumerate(names)}
    code, said = collect(capsys, download(course, files))
    assert code == 3
    assert said.count("its path leads out of the archive") == 2
    assert {path.parent.parent.parent for path in map(Path, collected(course))} == {Path()}
    assert not (course.root.parent / "etc").exists()
    assert "Ev2Je/neuron/neuron.ipynb" in collected(course)
    assert len(course.autograde().graded) == 4


def test_a_file_that_came_by_mail_keeps_the_way_back_and_its_place(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"Ada_11_{FILE}_/neuron.ipynb": DONE, f"Bo_12_{FILE}_/neuron.ipynb": DONE}
    moodle = str(download(course, files))
    mail = course.root.parent / "neuron.ipynb"
    mail.write_bytes(OTHER)
    main(["collect", "neuron", moodle])
    main(["collect", "neuron", str(mail), "--student", "Ada"])
    course.autograde()
    main(["return", "neuron", "moodle"])
    assert "the points of 2 students" in capsys.readouterr().out
    main(["collect", "neuron", moodle])
    assert (course.root / "class/submitted/Ada/neuron/neuron.ipynb").read_bytes() == OTHER


def test_no_name_leads_out_of_a_submission(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    top = "Ada Lovelace_17_assignsubmission_file_"
    files = {f"{top}/neuron.ipynb": DONE, f"{top}../loss/loss.ipynb": b"overwritten"}
    collect(capsys, download(course, files))
    assert {name.split("/")[1] for name in collected(course)} == {"neuron"}


def test_a_time_in_a_submitted_archive_does_not_count(course: Course) -> None:
    place = course.hand_in("eve", DONE)
    (place / "neuron.ipynb").unlink()
    before = (place / "timestamp.txt").read_text()
    forged = {"neuron.ipynb": DONE, "timestamp.txt": b"2020-01-01 00:00:00 UTC"}
    inner = place / "neuron.ipynb.zip"
    inner.write_bytes(archived(forged))
    main(["collect", "neuron", str(inner), "--student", "eve"])
    assert (place / "timestamp.txt").read_text() == before


def test_a_file_beside_the_lessons_folder_is_kept(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    collect(
        capsys, download(course, {"cleo/neuron.ipynb": DONE, "cleo/neuron/neuron.ipynb": OTHER})
    )
    assert sorted(collected(course).values()) == sorted([DONE, OTHER])


def test_the_instructors_last_word_on_an_upload_counts(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(course, ben1=("Ben", "Smith", ""), ben2=("Ben", "Smith", ""))
    files = {f"Ben Smith_7_{FILE}_/neuron.ipynb": DONE, f"Ben Smith_8_{FILE}_/neuron.ipynb": OTHER}
    archive = download(course, files)
    collect(capsys, archive, "--student", "7=ben2", "--student", "8=ben1")
    code, said = collect(capsys, archive, "--student", "7=ben1")
    assert (code, "ben2: upload 7 was theirs" in said, "8=NAME" in said) == (3, True, True)
    assert collected(course)["ben1/neuron/neuron.ipynb"] == DONE
    collect(capsys, archive, "--student", "8=ben2")
    assert collected(course)["ben2/neuron/neuron.ipynb"] == OTHER
    assert collect(capsys, archive)[0] == 0
    assert "ben2" in record(course)
    collect(capsys, archive, "--student", "9=ben1")  # no such upload: nothing is forgotten
    assert record(course)["ben2"]["id"] == "8"


def test_a_student_named_in_another_form_of_the_accents_keeps_an_upload(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = (normalize(form, "zoë") for form in ("NFC", "NFD"))
    (course.root / "class" / "submitted" / there).mkdir(parents=True)
    archive = download(course, {f"Z_7_{FILE}_/neuron.ipynb": DONE})
    collect(capsys, archive, "--student", f"7={here}")
    code, said = collect(capsys, archive, "--student", f"7={here}")
    assert (code, "1 unchanged" in said) == (0, True)
