"""`grader grade`: answers are found in any layout and judged on new inputs."""

from __future__ import annotations

import atexit
import copy
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from course import ROOT, SETTINGS, lesson, solved, written
from grader.cli import main
from grader.comparison.schema import Request, Response
from grader.execution.notebook import MAX_BYTES, UnreadableNotebook, read_notebook
from grader.execution.submission import select
from grader.execution.unconfined import Unconfined
from grader.instructor.run import Run, result_html
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

RUN = Run(lesson("neuron"), seed=7)
FIGURES = Run(lesson("neuron"), seed=7)
FIGURES.add_lines()
SLOPPY = "def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"


def data(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook).encode()


@cache
def runner() -> Engine | Unconfined:
    """Return the runner that the grader uses on this machine."""
    if protection() is Protection.NONE:
        return Unconfined()
    engine = Engine(SETTINGS)
    atexit.register(engine.close)
    return engine.__enter__()


def ask(request: Request) -> Response:
    return runner().run(request)


def points(notebook: dict[str, Any]) -> dict[str, float]:
    graded = RUN.grade(data(notebook), ask)
    return {name: verdict.points for name, verdict in graded.verdicts.items()}


FULL = {"weighted_sum": 2.0, "sigmoid": 3.0, "relu": 2.0, "dense": 3.0}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


class Recorder:
    """Keeps the names of the exercises that each request asks for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def run(self, request: Request) -> Response:
        self.asked.append([*request["calls"]])
        return ask(request)


def test_only_wrong_values_are_asked_again_for_a_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.instructor.run.QUICK", 600)  # however busy this machine is
    negative = "def relu(z):\n    return np.abs(z)\n"
    notebook = written("neuron", weighted_sum="...", sigmoid=SLOPPY, relu=negative)
    chosen = select(FIGURES.template, read_notebook(data(notebook)))
    recorder = Recorder()
    drawn = FIGURES.grade_with_figures(chosen, recorder.run)
    assert recorder.asked == [[*FULL], ["relu"]]
    assert [name for name, one in drawn.verdicts.items() if one.picture] == ["relu"]
    assert drawn.points == FIGURES.grade_cells(chosen, ask).points
    shown = result_html("relu", drawn.result()["exercises"]["relu"])
    assert "yours differs from the expected result[0]" in shown


def test_a_notebook_that_met_a_limit_is_not_run_again() -> None:
    exits = "def relu(z):\n    import os\n    os._exit(1)\n"
    notebook = written(
        "neuron", weighted_sum="def weighted_sum(x, w, b):\n    return b\n", relu=exits
    )
    recorder = Recorder()
    chosen = select(FIGURES.template, read_notebook(data(notebook)))
    assert FIGURES.grade_with_figures(chosen, recorder.run).verdicts["weighted_sum"].missed
    assert len(recorder.asked) == 1


def test_json_has_one_line_a_notebook_in_the_promised_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sloppy.ipynb").write_bytes(
        data(written("neuron", weighted_sum="...", sigmoid=SLOPPY))
    )
    (tmp_path / "damaged.ipynb").write_text("{")
    (tmp_path / "right.ipynb").write_bytes(data(solved("neuron")))
    assert (
        main(
            [
                "grade",
                "--json",
                *(
                    str(tmp_path / f"{name}.ipynb")
                    for name in ("sloppy", "damaged", "absent", "right")
                ),
            ]
        )
        == 1
    )
    sloppy, damaged, absent, right = map(json.loads, capsys.readouterr().out.splitlines())
    assert (sloppy["notebook"], sloppy["points"], sloppy["max_points"]) == (
        str(tmp_path / "sloppy.ipynb"),
        4.7,
        10.0,
    )
    hint = sloppy["exercises"]["sigmoid"].pop("hint")
    assert sloppy["exercises"]["sigmoid"] == {"points": 2.7, "max_points": 3.0, "missed": ["quiet"]}
    assert "e to the power 1000 is computed" in hint
    assert "not written yet" in sloppy["exercises"]["relu"]["note"]
    assert "can't be read as JSON" in damaged["error"]
    assert "can't be opened" in absent["error"]
    assert right["points"] == 10
    assert right["exercises"]["relu"] == {
        "points": 2.0,
        "max_points": 2.0,
        "missed": [],
        "hint": None,
    }


def test_the_table_names_the_missed_property_and_the_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "neuron.ipynb").write_bytes(data(written("neuron", sigmoid=SLOPPY)))
    assert main(["grade", str(tmp_path / "neuron.ipynb")]) == 0
    shown = capsys.readouterr().out
    assert "2.7 of 10 points" in shown
    assert "missed no warnings at extreme inputs. The values are right, but" in shown


def test_the_same_seed_repeats_a_run_and_another_draws_other_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "neuron.ipynb").write_bytes(
        data(written("neuron", relu="def relu(z):\n    return abs(z)\n"))
    )
    for seed in ("5", "5"):
        main(["grade", "--json", "--seed", seed, str(tmp_path / "neuron.ipynb")])
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    asked = [json.dumps(Run(lesson("neuron"), seed).calls) for seed in (7, 7, 8)]
    assert asked[0] == asked[1] != asked[2]


def test_answers_learned_by_heart_from_the_key_earn_nothing() -> None:
    key = json.loads((ROOT / "course" / "neuron" / "answers.key").read_text(encoding="utf-8"))
    known = [
        (case["inputs"][0], case["expected"].get("value"))
        for case in key["exercises"]["relu"]["cases"]
    ]
    parrot = f"""
from grader.comparison.codec import decode, encode
KNOWN = eval({str(known)!r}, {{"nan": float("nan")}})
def relu(z):
    return next((decode(value) for inputs, value in KNOWN if repr(inputs) == repr(encode(z))), 0.0)
"""
    assert points(written("neuron", relu=parrot))["relu"] == 0


def test_calls_hold_nothing_about_expected_values() -> None:
    asked = json.dumps(RUN.calls)
    assert "raises" not in asked
    assert "expected" not in asked
    assert not any(prop in asked for prop in ("property", "stability", "purity"))


def retyped(notebook: dict[str, Any]) -> None:
    next(cell for cell in notebook["cells"] if cell["id"] == "relu").update(cell_type="markdown")


def without_metadata_and_ids(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell.pop("id")
        cell["metadata"] = {}


def split(notebook: dict[str, Any]) -> None:
    cells = notebook["cells"]
    place = next(i for i, cell in enumerate(cells) if cell["id"] == "relu")
    helper = {
        "cell_type": "code",
        "source": "def larger(a, b):\n    return np.maximum(a, b)",
        "metadata": {},
        "outputs": [],
    }
    cells[place] = {
        "cell_type": "code",
        "source": ["def relu(z):\n", "    return larger(z, 0)"],
        "metadata": {},
        "outputs": [],
    }
    cells.insert(place, helper)


def stub_copied_below(notebook: dict[str, Any]) -> None:
    stub = copy.deepcopy(next(cell for cell in written("neuron")["cells"] if cell["id"] == "relu"))
    notebook["cells"].append(stub)


def stub_below_another_way_of_writing(notebook: dict[str, Any]) -> None:
    """Assign relu under another name below a magic, and paste a stub below it."""
    cells = notebook["cells"]
    place = next(i for i, cell in enumerate(cells) if cell["id"] == "relu")
    if "NotImplementedError" not in "".join(cells[place]["source"]):
        text = (
            "%%time\n"
            + "".join(cells[place]["source"]).replace("def relu", "def my_relu")
            + "\nrelu = my_relu"
        )
        cells[place] = {**cells[place], "source": text}
    stub_copied_below(notebook)


def stub_with_its_last_line_left(notebook: dict[str, Any]) -> None:
    """Keep the line that raises after the return, and paste a stub below."""
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "relu")
    if "NotImplementedError" not in "".join(cell["source"]):
        cell["source"] = "".join(cell["source"]) + "\n    raise NotImplementedError()"
    stub_copied_below(notebook)


def all_at_the_end(notebook: dict[str, Any]) -> None:
    notebook["cells"].sort(key=lambda cell: cell["id"] in FULL)


def setup_changed(notebook: dict[str, Any]) -> None:
    next(cell for cell in notebook["cells"] if cell["id"] == "setup-01")["source"] = (
        "import nothing_like_this"
    )


def magics_and_errors(notebook: dict[str, Any]) -> None:
    lines = "%matplotlib inline\n!echo hello\nundefined_name"
    notebook["cells"].insert(
        1, {"cell_type": "code", "source": lines, "metadata": {"tags": ["setup"]}, "outputs": []}
    )


def forged(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["metadata"] = {
                "tags": ["play", "setup"],
                "nbgrader": {"grade_id": "same", "points": 99, "grade": True, "schema_version": 3},
            }
            cell["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "99"},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]


CHANGES = [
    retyped,
    without_metadata_and_ids,
    split,
    stub_copied_below,
    stub_below_another_way_of_writing,
    stub_with_its_last_line_left,
    all_at_the_end,
    setup_changed,
    magics_and_errors,
    forged,
]


@pytest.mark.parametrize("change", CHANGES)
def test_how_a_notebook_looks_costs_and_earns_nothing(
    change: Callable[[dict[str, Any]], None],
) -> None:
    notebook = solved("neuron")
    change(notebook)
    assert points(notebook) == FULL
    empty = written("neuron")
    change(empty)
    assert points(empty) == dict.fromkeys(FULL, 0.0) | ({"relu": 2.0} if change is split else {})


def test_repairs_are_reported() -> None:
    notebook = solved("neuron")
    retyped(notebook)
    stub_copied_below(notebook)
    assert RUN.grade(data(notebook), ask).repaired == (
        "The cell of relu was of type markdown; it was read as code.",
        "A second, unfinished relu was left out.",
        "relu is defined in 2 cells; the last finished one counts.",
    )


@pytest.mark.parametrize(
    ("source", "note"),
    [
        ("def relu(z, slope):\n    return z", "relu takes (z); yours takes (z, slope)."),
        ("def relu(z)\n    return z", "The cell of relu stops with SyntaxError"),
        ("def rule(z):\n    return z", "No function is called relu; its cell defines rule."),
        ("relu = 3", "No function is called relu; its cell defines none. Keep the name"),
        (
            "<<<<<<< HEAD\ndef relu(z):\n    return z\n=======\n>>>>>>> theirs",
            "The cell of relu has conflict markers (<<<<<<<) of a merge in it; settle the merge",
        ),
        ("import os\ndef relu(z):\n    os._exit(0)", "ended its own process"),
    ],
)
def test_an_answer_that_cannot_be_judged_says_why(source: str, note: str) -> None:
    graded = RUN.grade(data(written("neuron", relu=source)), ask)
    assert graded.verdicts["relu"].points == 0
    assert note in (graded.verdicts["relu"].note or "")


@pytest.mark.long
def test_a_notebook_that_never_ends_is_stopped() -> None:
    graded = RUN.grade(
        data(written("neuron", relu="def relu(z):\n    while True:\n        pass")),
        Unconfined(seconds=20).run,
    )
    assert "more than 20 seconds" in (graded.verdicts["relu"].note or "")


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"answers": None},
        {"answers": {"relu": {"outcomes": 3}}},
        {"answers": {"relu": {"outcomes": [{}] * 10}}},
        {"answers": {"relu": {"outcomes": [{"value": {"array": "x"}}] * 10}}},
    ],
)
def test_nonsense_from_a_learners_process_is_worth_nothing(response: dict[str, Any]) -> None:
    graded = RUN.grade(data(solved("neuron")), lambda _: response)
    assert graded.points == 0
    assert all(verdict.note or verdict.failure for verdict in graded.verdicts.values())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"{", "JSON"),
        (b"[]", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"worksheets": [{"cells": []}], "nbformat": 3}', "no list of cells"),
        (
            b"<<<<<<< HEAD\n{}\n=======\n>>>>>>> other",
            "conflict markers .* of a merge in it. Settle the merge and hand it in again$",
        ),
        (b"[" * 100_000, "JSON"),
        (
            data(solved("neuron"))[:5000],
            "damaged: it can't be read as JSON from its line 1 on. Save it in JupyterLab ",
        ),
        ('{\n"cells": ["é"]}'.encode("latin-1"), "its line 2 is not in UTF-8"),
        (b"\n<!DOCTYPE html><html></html>", "it is a web page that shows a notebook"),
        (b" " * (MAX_BYTES + 1), "at most 50 MB are read. Clear its outputs and hand it in again"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_in_a_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableNotebook, match=reason):
        read_notebook(content)


def bare(notebook: dict[str, Any]) -> dict[str, Any]:
    """Like the oldest tools of version 4: no ids, no metadata, no version."""
    return {
        "cells": [
            {"cell_type": cell["cell_type"], "source": cell["source"]} for cell in notebook["cells"]
        ]
    }


def newer(notebook: dict[str, Any]) -> dict[str, Any]:
    return {
        **notebook,
        "nbformat_minor": 99,
        "cells": [{**cell, "field_of_tomorrow": {}} for cell in notebook["cells"]],
    }


def with_windows_line_ends(notebook: dict[str, Any]) -> dict[str, Any]:
    return {
        **notebook,
        "cells": [
            {**cell, "source": "".join(cell["source"]).replace("\n", "\r\n")}
            for cell in notebook["cells"]
        ],
    }


def with_other_cells_between(notebook: dict[str, Any]) -> dict[str, Any]:
    return {
        **notebook,
        "cells": [
            part for cell in notebook["cells"] for part in (cell, "no cell", {"cell_type": "raw"})
        ],
    }


@pytest.mark.parametrize("change", [bare, newer, with_windows_line_ends, with_other_cells_between])
def test_a_notebook_saved_by_another_tool_keeps_its_points(
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    assert points(change(solved("neuron"))) == FULL
    assert points(change(written("neuron"))) == dict.fromkeys(FULL, 0.0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be with a mark"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_that_an_editor_of_windows_wrote_is_read(encoding: str, line_end: str) -> None:
    text = json.dumps(solved("neuron"), indent=1, ensure_ascii=False).replace("\n", line_end)
    written_file = (
        ("\ufeff" + text).encode("utf-16-be") if "mark" in encoding else text.encode(encoding)
    )
    assert read_notebook(written_file) == read_notebook(data(solved("neuron")))


def test_an_exercise_whose_cell_is_gone_costs_only_itself() -> None:
    notebook = solved("neuron")
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != "relu"]
    graded = RUN.grade(data(notebook), ask)
    assert {name: verdict.points for name, verdict in graded.verdicts.items()} == FULL | {"relu": 0}
    assert (
        graded.verdicts["relu"].note
        == "No function is called relu, and its cell is gone; a fresh copy of the lesson has it."
    )
    without_metadata_and_ids(notebook)
    assert RUN.grade(data(notebook), ask).verdicts["relu"].note == "No function is called relu."


def test_a_pipe_or_a_link_in_the_place_of_a_notebook_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "link.ipynb").symlink_to("/dev/zero")
    paths = [str(tmp_path / name) for name in ("pipe.ipynb", "link.ipynb")]
    assert main(["grade", "--lesson", "neuron", *paths]) == 1
    assert capfd.readouterr().err.count("is a link or can't be opened") == 2


DRAWS = Run(lesson("initialization"), seed=7)
OBSERVER = """import grader.execution.runner as runner
def observe(function, call, honest=runner.observe):
    outcome = honest(function, call)
    if "draws" in outcome:
        outcome["draws"][2] = outcome["draws"][0]
    return outcome
runner.observe = observe
"""
INIT = "def init_normal(fan_in, fan_out, std, rng):\n    "
FROM_NUMPY = f"{INIT}return np.random.normal(0, std, (fan_in, fan_out))"
IN_TURN = f"""made = []
{INIT}made.append(np.random.normal(0, std, (fan_in, fan_out)))
    large = [one for one in made if one.size > 100]
    return large[-3] if len(large) % 4 == 3 else made[-1]
"""
BY_STATE = f"""made, mine = {{}}, np.random.default_rng()
{INIT}state = str(rng.bit_generator.state)
    rng.random()
    return made.setdefault(state, mine.normal(0, std, (fan_in, fan_out)))
"""
BOX_AND_MULLER = f"""{INIT}u, v = rng.random((2, fan_in, fan_out))
    return std * np.sqrt(-2 * np.log(1 - u)) * np.cos(2 * np.pi * v)
"""
SINGLE = f"{INIT}return -rng.normal(0, std, (fan_out, fan_in)).T.astype(np.float32)"


@pytest.mark.parametrize(
    ("source", "first", "earned", "requests"),
    [
        (FROM_NUMPY, "", 0, 1),
        (FROM_NUMPY, OBSERVER, 0, 2),
        (IN_TURN, "", 0, 2),
        (BY_STATE, "", 0, 2),
        (BOX_AND_MULLER, "", 2, 2),
        (SINGLE, "", 2, 1),
    ],
)
def test_draws_that_another_process_does_not_repeat_earn_nothing(
    source: str, first: str, earned: float, requests: int
) -> None:
    notebook = written("initialization", init_normal=source)
    cell = {"cell_type": "code", "source": first, "metadata": {}, "outputs": []}
    notebook["cells"].insert(1, cell)
    chosen, recorder = select(DRAWS.template, read_notebook(data(notebook))), Recorder()
    response = recorder.run(DRAWS.request(chosen))
    verdict = DRAWS.judge(chosen, response, recorder.run)[0].verdicts["init_normal"]
    assert (verdict.points, len(recorder.asked)) == (earned, requests)
    if requests == 2 and not earned:
        assert "do not come from the generator rng alone" in f"{verdict.failure}"
