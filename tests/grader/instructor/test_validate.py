"""`grader validate`: outputs are compared, and only trusted notebooks run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from course import copy_of_the_course, solved, written
from grader.cli import main

TOUCH = "def relu(z):\n    return np.abs(z)\n\nopen({!r}, 'w').close()\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(copy_of_the_course(tmp_path / "course"))
    return tmp_path / "course"


@pytest.mark.long
def test_a_notebook_from_elsewhere_runs_only_with_unsafe(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also one to which a link in course/ leads."""
    elsewhere, link = tmp_path / "neuron.ipynb", root / "course" / "neuron" / "theirs.ipynb"
    elsewhere.write_text(
        json.dumps(
            written(
                "neuron",
                weighted_sum="...",
                sigmoid="...",
                dense="...",
                relu=TOUCH.format(str(tmp_path / "touched")),
            )
        )
    )
    link.symlink_to(elsewhere)
    for path in (elsewhere, link):
        assert main(["validate", str(path)]) == 1
        refused = capfd.readouterr().err
        assert f"{path} lies outside course/ and solutions/" in refused
        assert "--unsafe" in refused
    assert not (tmp_path / "touched").exists()
    assert main(["validate", "--unsafe", str(elsewhere)]) == 1
    assert "check(relu)" in capfd.readouterr().out
    assert (tmp_path / "touched").exists()


@pytest.mark.long
def test_a_lessons_name_means_its_reference(root: Path) -> None:
    assert main(["validate", "neuron"]) == 0


def test_a_file_that_is_no_notebook_is_reported_with_a_way_out(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "nouron.ipynb"]) == 1
    refused = capsys.readouterr().err
    assert "There is no notebook nouron.ipynb" in refused
    assert "neuron" in refused.replace("nouron", "")
    (root / "course" / "neuron" / "neuron.ipynb").write_text(
        "<<<<<<< mine\n" + json.dumps(solved("neuron")) + "\n>>>>>>> theirs\n"
    )
    assert main(["validate", "course/neuron/neuron.ipynb"]) == 1
    refused = capsys.readouterr().err
    assert "course/neuron/neuron.ipynb can't be validated: it has conflict markers" in refused


def test_the_help_says_that_nothing_confines_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["validate", "--help"])
    assert "Its cells run as you, outside the sandbox: for your own notebooks." in " ".join(
        capsys.readouterr().out.split()
    )
