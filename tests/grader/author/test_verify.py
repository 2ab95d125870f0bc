"""Test that `grader verify` names each mistake of an author, with its file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.cli import main

TEXT = '''---
kernelspec:
  name: python3
  display_name: Python 3
---

# Doubling

```{code-cell}
:tags: [setup]

import numpy as np
```

```{code-cell}
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
```

```{code-cell}
check(double)
```
'''

SETTINGS = """
[tool.grader]
sources = "solutions"
release = "course"
packages = []
hidden = []
"""

EXERCISES = """
from grader import Exercise, Question, case
import numpy as np

double = Exercise(points=2)

@double.cases
def _(rng):
    yield case("value", rng.normal(size=3))
    yield case("purity", rng.normal(size=3))

@double.right_answer
def adds(x):
    return x + x

@double.misconception("You squared it.")
def squares(x):
    return x * x

@double.misconception("You changed x.")
def in_place(x):
    x *= 2
    return x
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a course of one small lesson without a mistake."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    folder = tmp_path / "solutions" / "toy"
    folder.mkdir(parents=True)
    (folder / "toy.md").write_text(TEXT)
    (folder / "exercises.py").write_text(EXERCISES)
    monkeypatch.chdir(tmp_path)
    return folder


def verify(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["verify", "--seeds", "3"])
    return code, capsys.readouterr().out.strip()


def test_a_lesson_without_a_mistake_is_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(capsys) == (
        0,
        "toy: 1 exercise, 2 wrong answers rejected, 1 right answer accepted on 3 draws.",
    )


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


CASES = EXERCISES[EXERCISES.index("@double.cases") : EXERCISES.index("@double.right_answer")]


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("exercises.py", "points=2", "", "solutions/toy/exercises.py: double has no points"),
        ("exercises.py", CASES, "", "solutions/toy/exercises.py: double has no cases"),
        (
            "exercises.py",
            'yield case("value", rng.normal(size=3))\n    yield case("purity", rng.normal(size=3))',
            "yield from ()",
            "double has no cases; @double.cases yields none",
        ),
        (
            "exercises.py",
            "return x * x",
            "return 2 * x if x[0] > 0 else x * x",
            'double gives "squares" other points by the seed: ',
        ),
        (
            "exercises.py",
            "return x * x",
            "return 2.0 * x",
            'double has no case that rejects "squares"',
        ),
        (
            "exercises.py",
            "    x *= 2\n    return x",
            "    return x ** 2",
            'double has no case that tells "squares" from "in_place"',
        ),
        (
            "exercises.py",
            "return x + x",
            "return x + x + 1",
            "double rejects the right answer adds: value, purity missed",
        ),
        (
            "exercises.py",
            "double = Exercise(points=2)",
            "double = Exercise(points=2)\nhalf = Exercise(points=1)\nhalf.draw = 1",
            "half needs one cell with ### BEGIN SOLUTION, not 0",
        ),
        ("exercises.py", 'case("value",', 'case("values",', "unknown property 'values'"),
        (
            "exercises.py",
            'case("value", rng.normal(size=3))',
            'case("distribution", 1.0)',
            "case 1 of double draws 0 numbers in two calls, too few",
        ),
        (
            "exercises.py",
            "rng.normal(size=3)",
            "lambda x: x",
            "a value case of double: the function",
        ),
        (
            "exercises.py",
            "import numpy as np",
            "import nothing_like_this",
            "exercises.py: running its code fails: ModuleNotFoundError",
        ),
        (
            "exercises.py",
            "double = Exercise",
            "twice = Exercise",
            "running its code fails: NameError",
        ),
        (
            "toy.md",
            "check(double)",
            "check(triple)",
            "triple needs one cell with ### BEGIN SOLUTION, not 0",
        ),
        ("toy.md", "check(double)", "print(double)", "double needs one check(double), not 0"),
        (
            "toy.md",
            "check(double)\n",
            "check(double)\n```\n\n```{code-cell}\ncheck(double)\n",
            "double needs one check(double), not 2",
        ),
        (
            "toy.md",
            "    ### END SOLUTION\n",
            "",
            "the cell of double has ### BEGIN SOLUTION without ### END SOLUTION",
        ),
        (
            "toy.md",
            "check(double)\n",
            "check(double)\n```\n\n```{code-cell}\nharden(triple)\n",
            "harden(triple) names no exercise",
        ),
        (
            "exercises.py",
            "return x + x",
            "return x + x if round(x[0], 3) != x[0] else x",
            "a figure that parts the right answer adds over x[0]; name what to vary",
        ),
        (
            "toy.md",
            "return 2 * x",
            "return 2 * x if abs(x[0] - 0.4) < 1e-9 else x * np.nan",
            'no figure that shows "squares"; name what to vary: double = Exercise(vary=…)',
        ),
        (
            "exercises.py",
            "points=2",
            'points=2, vary={"y": (0, 1)}',
            "double has no parameter y to vary",
        ),
        ("toy.md", "return 2 * x", "return 2 * y", "the reference double raises NameError"),
        (
            "toy.md",
            "import numpy as np",
            "import nothing_like_this",
            "solutions/toy/toy.md: running its code fails: ModuleNotFoundError",
        ),
    ],
)
def test_each_mistake_is_named_with_its_file(
    file: str, old: str, new: str, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / file).write_text(replaced((folder / file).read_text(), old, new))
    code, said = verify(capsys)
    assert code == 1
    assert sentence in said
    assert all(re.match(r"solutions/toy/(toy.md|exercises.py): ", one) for one in said.splitlines())
    assert "Traceback" not in said


def test_a_missing_file_and_a_missing_lesson_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "exercises.py").unlink()
    assert verify(capsys) == (1, "solutions/toy/exercises.py is missing; a lesson needs it")
    assert main(["verify", "nowhere"]) == 1
    assert capsys.readouterr().err.strip() == "solutions/ has no lesson nowhere; it has toy"


def test_a_folder_outside_a_course_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["verify"]) == 1
    assert "pyproject.toml with [tool.grader]" in capsys.readouterr().err
