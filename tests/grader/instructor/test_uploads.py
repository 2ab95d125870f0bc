"""Names in a download say whose its files are, also where a student submitted an archive."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from grader.instructor.uploads import canvas_name, name_key, uploads_in

LESSONS = {"neuron", "loss"}
FILE = "assignsubmission_file"


def files_of(names: list[str]) -> list[tuple[str, str, list[str]]]:
    """Return the label and name of each upload, and its files by the student's own names."""
    uploads, nobodys = uploads_in(names, LESSONS)
    assert nobodys == []
    return [(one.label, one.name, sorted(one.files)) for one in uploads]


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["work.zip/neuron/neuron.ipynb"], ["work.zip/neuron/neuron.ipynb"]),
        (["neuron.ipynb.zip/neuron.ipynb"], ["neuron.ipynb.zip/neuron.ipynb"]),
        (["WORK.ZIP/neuron.ipynb"], ["WORK.ZIP/neuron.ipynb"]),
        (["work.zip"], ["work.zip"]),
        (["work.zip/smith_3_4_neuron.ipynb"], ["work.zip/smith_3_4_neuron.ipynb"]),
        (["a.zip/n.ipynb", "a.zip/n-1.ipynb"], ["a.zip/n-1.ipynb", "a.zip/n.ipynb"]),
    ],
)
def test_an_archive_in_canvass_download_is_its_owners(names: list[str], files: list[str]) -> None:
    found = files_of(["smith_3_4_neuron.ipynb", *(f"lovelace_1_2_{name}" for name in names)])
    assert found == [("3", "smith", ["neuron.ipynb"]), ("1", "lovelace", files)]


def test_of_two_archives_of_a_name_in_canvas_the_later_counts() -> None:
    names = ["ada_1_2_work.zip/neuron.ipynb", "ada_1_3_work-1.zip/neuron.ipynb"]
    (upload,), _ = uploads_in(names, LESSONS)
    assert upload.files == {
        "earlier/2-work.zip/neuron.ipynb": names[0],
        "work.zip/neuron.ipynb": names[1],
    }


def test_a_folder_with_canvass_name_is_not_canvass() -> None:
    assert canvas_name("lovelace_1_2_work/neuron.ipynb") is None


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("anne.zip/neuron/neuron.ipynb", "anne"),
        ("anne.ipynb.zip/neuron.ipynb", "anne"),
        ("anne.tar.gz/neuron.ipynb", "anne"),
        ("ada.lovelace.zip/neuron.ipynb", "ada.lovelace"),
        ("ada.lovelace/neuron.ipynb", "ada.lovelace"),
        ("ada.lovelace.ipynb", "ada.lovelace"),
        ("ada.lovelace.ipynb.txt", "ada.lovelace"),
        ("anne.pdf", "anne"),
        ("anne.tar.gz", "anne"),
    ],
)
def test_an_ending_is_no_part_of_a_students_name(name: str, student: str) -> None:
    assert [label for label, _, _ in files_of([name, "ada.byron.ipynb"])] == [student, "ada.byron"]


def test_a_folder_and_an_archive_of_one_name_do_not_mix() -> None:
    found = files_of(["anne/neuron.ipynb", "anne.zip/neuron.ipynb"])
    assert found == [("anne", "anne", ["neuron.ipynb"])] * 2


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["smith_3_4_n.ipynb", f"ng_5_6_Eve Ng_99_{FILE}_n.ipynb"], ["3", "5"]),
        (["smith_3_4_n.ipynb", f"ng_5_6_w.zip/Bob_77_{FILE}_/n.ipynb"], ["3", "5"]),
        (["anne/n.ipynb", f"eve/bob_77_{FILE}_/n.ipynb"], ["anne", "eve"]),
        (["hw/anne/n.ipynb", f"hw/eve/bob_77_{FILE}_/n.ipynb"], ["anne", "eve"]),
        ([f"dl/Ada_1_{FILE}_/n.ipynb", f"dl/Bo_2_{FILE}_/a_5_6_n.ipynb"], ["1", "2"]),
        ([f"dl1/Ada_1_{FILE}_/n.ipynb", f"dl2/Bo_2_{FILE}_/n.ipynb"], ["1", "2"]),
        ([f"Ada_1_{FILE}_/a_5_6_n.ipynb"], ["1"]),
        (["smith_3_4_n.ipynb", "ng_5_6_a\nb.ipynb"], ["3", "5"]),
    ],
)
def test_moodles_name_in_one_students_file_is_the_students(
    names: list[str], labels: list[str]
) -> None:
    uploads, nobodys = uploads_in(names, LESSONS)
    assert ([one.label for one in uploads], nobodys) == (labels, [])


def test_vowel_signs_tell_names_apart() -> None:
    assert name_key("राम") != name_key("रीमा")
    assert name_key("İlker") == name_key("ilker")
    assert name_key("José") == name_key(normalize("NFD", "José"))
