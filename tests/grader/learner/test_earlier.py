"""Test that `earlier` takes solved functions from the learner, others from the course."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from course import ROOT
from grader import earlier
from grader.learner.progress import record_solved


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a learner's work/ with neuron and capstone; capstone is the current folder."""
    shutil.copytree(ROOT / "course" / "neuron", tmp_path / "neuron")
    (tmp_path / "capstone").mkdir()
    monkeypatch.chdir(tmp_path / "capstone")
    fallback = ModuleType("fallback")
    fallback.relu = lambda z: "the course's"  # type: ignore[attr-defined]
    fallback.dense = lambda X, W, b, activation: "the course's"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fallback", fallback)
    return tmp_path


def write(work: Path, *sources: str) -> None:
    """Replace the learner's notebook of the neuron lesson by one with these cells."""
    cells = [
        {
            "cell_type": "code",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for source in sources
    ]
    (work / "neuron" / "neuron.ipynb").write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )


def test_a_solved_function_is_the_learners_own(here: Path) -> None:
    write(
        here,
        "import numpy as np",
        "def relu(z):\n    return np.maximum(z, 0)",
        "raise SystemExit('never run')",
    )
    mine = earlier("relu", fallback="fallback")
    assert mine.relu(np.array([-1.0, 2.0])).tolist() == [0, 2]
    assert mine.sources == {"relu": "is yours, from the lesson neuron."}
    assert "is yours, from the lesson neuron" in mine._repr_html_()


DEF = "def relu(z):\n            return np.maximum(z, 0)"


@pytest.mark.parametrize(
    "source",
    [
        f"for _ in [1]:\n        {DEF}",
        f"try:\n    import no_such\nexcept ImportError:\n        {DEF}",
        f"match 1:\n    case 1:\n        {DEF}",
        f"files = !ls\n{DEF}",
        "(relu := lambda z: np.maximum(z, 0))",
        "class Relu:\n    def __call__(self, z):\n        return np.maximum(z, 0)\n\nrelu = Relu()",
    ],
)
def test_a_function_is_the_learners_own_whatever_statement_gives_it(
    source: str, here: Path
) -> None:
    write(here, "import numpy as np", source)
    assert earlier("relu", fallback="fallback").sources["relu"].startswith("is yours")


def test_helpers_and_constants_of_other_cells_are_defined(here: Path) -> None:
    write(
        here,
        "import numpy as np\nLOW = 0",
        "def above(z):\n    return np.maximum(z, LOW)",
        "def relu(z):\n    return above(z)",
    )
    assert earlier("relu", fallback="fallback").relu(np.array([-1.0])).tolist() == [0]


@pytest.mark.parametrize(
    "cells",
    [
        ["from numpy import *", "def relu(z):\n    return maximum(z, 0)", "check(relu)"],
        [
            "def relu(z):\n    return above(z)",
            "check(relu)",
            "def above(z):\n    return np.maximum(z, 0)",
        ],
        ["LOW = {}\nLOW['is'] = 0", "def relu(z):\n    return np.maximum(z, LOW['is'])"],
        ["class It: pass\nIt.low = 0", "def relu(z):\n    return np.maximum(z, It.low)"],
    ],
    ids=["import *", "a helper below the check", "an item", "an attribute"],
)
def test_what_a_check_finds_right_is_the_learners_own(cells: list[str], here: Path) -> None:
    write(here, "import numpy as np", *cells)
    assert earlier("relu", fallback="fallback").sources["relu"].startswith("is yours")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def relu(z):\n    return z", "yours, in the lesson neuron, is not solved yet"),
        (
            "def relu(z):\n    raise NotImplementedError",
            "yours, in the lesson neuron, is not solved yet",
        ),
        ("def relu(z, slope):\n    return z", "yours, in the lesson neuron, takes other arguments"),
        ("relu = 3", "your notebook of the lesson neuron has none"),
        ("def relu(z:\n", "your notebook of the lesson neuron has none"),
        (
            "import nothing_like_this\n\ndef relu(z):\n    return nothing_like_this.relu(z)",
            "is not solved yet",
        ),
    ],
)
def test_an_unsolved_function_is_replaced_and_reported(
    here: Path, source: str, message: str
) -> None:
    write(here, source)
    mine = earlier("relu", fallback="fallback")
    assert mine.relu(1) == "the course's"
    assert mine.sources["relu"].startswith("is the course's: ")
    assert message in mine.sources["relu"]


def test_work_that_is_solved_and_not_saved_is_not_denied(here: Path) -> None:
    write(here, "def relu(z):\n    raise NotImplementedError")
    record_solved(here / "neuron", "relu", 2.0)
    source = earlier("relu", fallback="fallback").sources["relu"]
    assert "you have solved it in the lesson neuron" in source
    assert "Save that notebook" in source


RELU = {
    "cell_type": "code",
    "source": "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0)\n",
    "metadata": {},
    "outputs": [],
    "execution_count": None,
}
NOTEBOOK = json.dumps({"cells": [RELU], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + NOTEBOOK.encode(),
        NOTEBOOK.encode("utf-16"),
        json.dumps({"cells": ["odd", None, {"source": None}, RELU]}).encode(),
        NOTEBOOK.replace("import numpy", "%%time\\nimport numpy").encode(),
        NOTEBOOK.replace("import numpy", "!pip list\\n%matplotlib inline\\nimport numpy").encode(),
    ],
    ids=["byte order mark", "UTF-16", "no cells among the cells", "timed", "magics"],
)
def test_a_notebook_is_read_in_any_format(here: Path, data: bytes) -> None:
    (here / "neuron" / "neuron.ipynb").write_bytes(data)
    assert earlier("relu", fallback="fallback").sources == {
        "relu": "is yours, from the lesson neuron."
    }


def test_a_notebook_with_another_name_is_found(here: Path) -> None:
    write(here, RELU["source"])
    (here / "neuron" / "neuron.ipynb").rename(here / "neuron" / "mine (2).ipynb")
    assert earlier("relu", fallback="fallback").sources == {
        "relu": "is yours, from the lesson neuron."
    }


def test_a_solved_copy_beside_an_untouched_notebook_is_found(here: Path) -> None:
    original = (here / "neuron" / "neuron.ipynb").read_bytes()
    write(here, RELU["source"])
    (here / "neuron" / "neuron.ipynb").rename(here / "neuron" / "neuron-Copy1.ipynb")
    (here / "neuron" / "neuron.ipynb").write_bytes(original)
    record_solved(here / "neuron", "relu", 2.0)
    assert earlier("relu", fallback="fallback").sources["relu"].startswith("is yours")


def test_an_unsolved_copy_of_a_lessons_folder_hides_nothing(here: Path) -> None:
    shutil.copytree(here / "neuron", here / "backup of neuron")
    write(here, "import numpy as np", "def relu(z):\n    return np.maximum(z, 0)")
    mine = earlier("relu", "dense", fallback="fallback")
    assert mine.sources["relu"] == "is yours, from the lesson neuron."
    assert mine.sources["dense"].startswith("is the course's: ")


def test_a_lesson_of_the_first_edition_is_found(here: Path) -> None:
    write(here, RELU["source"])
    (here / "neuron" / "answers.key").rename(here / "neuron" / "answers.json")
    assert earlier("relu", fallback="fallback").sources["relu"].startswith("is yours")


def test_an_unreadable_notebook_is_reported_with_a_fix(here: Path) -> None:
    (here / "neuron" / "neuron.ipynb").write_text("<<<<<<< mine\n{}\n=======\n>>>>>>> theirs\n")
    assert earlier("relu", "dense", fallback="fallback").sources["dense"] == (
        "is the course's: neuron/neuron.ipynb can't be read: it has conflict markers (<<<<<<<) of a"
        " merge in it. Settle the merge and run this cell again."
    )
    (here / "neuron" / "neuron.ipynb").unlink()
    assert earlier("relu", fallback="fallback").sources == {
        "relu": "is the course's: no notebook of the lesson neuron is in neuron/."
    }
    (here / "neuron" / "neuron.ipynb").mkdir()
    assert earlier("relu", fallback="fallback").relu(1) == "the course's"


def test_a_damaged_notebook_or_a_missing_lesson_is_no_error(here: Path) -> None:
    (here / "neuron" / "neuron.ipynb").write_text("{")
    assert earlier("relu", fallback="fallback").relu(1) == "the course's"
    shutil.rmtree(here / "neuron")
    assert earlier("relu", fallback="fallback").sources == {
        "relu": "is the course's: no lesson next to this one has it."
    }


def test_a_function_that_is_interrupted_is_replaced_and_the_others_are_kept(here: Path) -> None:
    endless = "def relu(z):\n    raise KeyboardInterrupt"
    write(here, "import numpy as np", endless, "def dense(X, W, b, f):\n    return f(X @ W + b)")
    mine = earlier("relu", "dense", fallback="fallback")
    assert mine.relu(1) == "the course's"
    assert "was interrupted before it ended" in mine.sources["relu"]
    assert mine.sources["dense"] == "is yours, from the lesson neuron."


def test_a_missing_course_module_fails_only_on_use(here: Path) -> None:
    shutil.rmtree(here / "neuron")
    mine = earlier("relu", fallback="no_such_module")
    with pytest.raises(AttributeError, match="relu"):
        mine.relu(1)


def test_a_folder_that_cannot_be_entered_hides_no_lesson(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "lost+found").mkdir()
    stat = os.stat

    def refusing(path: Any, **options: Any) -> os.stat_result:
        if "lost+found" in Path(path).parent.name:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refusing)  # the rights of a folder don't stop root
    write(here, "import numpy as np", "def relu(z):\n    return np.maximum(z, 0)")
    mine = earlier("relu", fallback="fallback")
    assert mine.sources == {"relu": "is yours, from the lesson neuron."}


def test_only_definitions_of_another_notebook_run(here: Path) -> None:
    write(
        here,
        "import pathlib\npathlib.Path('touched').touch()",
        "x = pathlib.Path('touched').touch()",
        "def relu(z):\n    return max(z, 0)",
    )
    earlier("relu", fallback="fallback")
    assert not (here / "capstone" / "touched").exists()
