"""In a terminal no text of a learner moves the cursor or looks like another student's line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from course import ROOT, solved, written
from grader.cli import main
from grader.instructor.report import Standing, Summary

FAKE = "\x1b]0;x\x07\x1b[2K\r\n\u2028  mallory: 10 of 10\x9b2J\u202e\ud800"
"""Sets a window's title, wipes a line, and writes one of its own."""


def is_printable(text: str) -> bool:
    return all(letter.isprintable() for line in text.split("\n") for letter in line)


def a_result(note: str, points: float, repaired: list[str]) -> dict[str, Any]:
    exercise = {
        "points": points,
        "max_points": 2.0,
        "passed": [],
        "missed": [],
        "hint": None,
        "note": note,
    }
    return {
        "points": points,
        "max_points": 2.0,
        "exercises": {"relu": exercise},
        "repaired": repaired,
    }


def test_a_summary_keeps_each_text_on_its_line() -> None:
    summary = Summary("neuron", 1)
    summary.add("alice", a_result("", 2.0, [f"The cell of relu was of type {FAKE}"]))
    summary.errors["bob"] = f"its grade could not be written: {FAKE}"
    after = a_result(f"relu stops with ValueError: {FAKE}", 0.0, [])
    results = a_result("", 2.0, []), after
    summary.compare("carol", Standing(2.0, 0.0), Standing(0.0, 0.0), results)
    text = summary.text()
    assert text.count("mallory") == 3
    assert is_printable(text)
    assert [line.split(":")[0].strip() for line in text.split("\n") if "mallory" in line] == [
        "alice",
        "relu 2 → 0",
        "bob",
    ]


def test_a_dry_run_names_students_in_one_line() -> None:
    summary = Summary("neuron", 1, dry=True, planned=[f"alice{FAKE}"])
    assert len(summary.text().split("\n")) == 1
    assert is_printable(summary.text())


def test_a_table_of_grades_holds_nothing_that_a_terminal_obeys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    raising = f"def relu(z):\n    class Mine(Exception): ...\n    raise Mine({FAKE!r})\n"
    stopping = f"raise ValueError({FAKE!r})\ndef sigmoid(z):\n    return z\n"
    notebook = written("neuron", relu=raising, sigmoid=stopping)
    next(cell for cell in notebook["cells"] if cell["id"] == "dense")["cell_type"] = FAKE[:20]
    (tmp_path / "a\x1b[2K\n  mallory.ipynb").write_text(json.dumps(notebook))
    assert (
        main(
            [
                "grade",
                "--lesson",
                "neuron",
                "--unsafe",
                *map(str, [*tmp_path.iterdir(), tmp_path / f"absent{FAKE[:20]}"]),
            ]
        )
        == 1
    )
    shown = capsys.readouterr()
    lines = shown.out.rstrip("\n").split("\n")
    assert [line.split()[0] for line in lines[1:]] == [
        "weighted_sum",
        "sigmoid",
        "relu",
        "dense",
        "Repaired:",
    ]
    assert shown.out.count("mallory") == 2
    assert is_printable(shown.out + shown.err)
    assert len(shown.err.split("\n")) == 2


def test_json_lines_hold_only_printable_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    notebook = solved("neuron")
    next(cell for cell in notebook["cells"] if cell["id"] == "relu")["cell_type"] = FAKE[-12:]
    (tmp_path / "neuron.ipynb").write_text(json.dumps(notebook))
    assert main(["grade", "--json", "--unsafe", str(tmp_path / "neuron.ipynb")]) == 0
    shown = capsys.readouterr().out
    assert is_printable(shown)
    assert "was of type" in json.loads(shown)["repaired"][0]
