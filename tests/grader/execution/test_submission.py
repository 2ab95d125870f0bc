"""The cells of a submission are found and repaired in time proportional to its size."""

from __future__ import annotations

import ast
import json
import re
import tracemalloc
from types import SimpleNamespace
from typing import Any

import pytest

from course import finishes, learners_notebook, lesson, solved, written
from grader.execution import cell_facts
from grader.execution.notebook import (
    MAX_CELLS,
    MAX_SOURCE,
    MAX_SOURCES,
    UnreadableNotebook,
    cells_of,
    load_notebook,
    read_notebook,
)
from grader.execution.submission import answers_in, select
from grader.execution.unconfined import Unconfined
from grader.instructor.feedback import safe_outputs
from grader.instructor.run import Graded, Run, template

RUN = Run(lesson("neuron"), seed=7)
KNOWN = template(lesson("neuron"))


def cell(source: str, cell_type: str = "code", cell_id: str = "") -> dict[str, Any]:
    return {"cell_type": cell_type, "id": cell_id, "source": source, "metadata": {}}


def graded(notebook: dict[str, Any]) -> Graded:
    return RUN.grade(json.dumps(notebook).encode(), Unconfined().run)


@pytest.mark.parametrize("line", ["<<<<<<< \n", "<<<<<<< \n=======\n"])
def test_a_file_of_conflict_markers_is_refused_in_linear_time(line: str) -> None:
    """Searching for an end after each marker would take hours."""
    program = (
        "from grader.execution.notebook import load_notebook\n"
        f"try: load_notebook({line.encode()!r} * 1_000_000)\n"
        "except Exception as error: print(error)"
    )
    assert re.search("web page|damaged", finishes(program))


def test_a_notebook_of_brackets_is_refused_before_it_takes_memory() -> None:
    tracemalloc.start()
    with pytest.raises(UnreadableNotebook, match="lists"):
        load_notebook(b'{"cells": [' + b"[]," * 5_000_000 + b"[]]}")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_a_notebook_of_too_many_cells_is_refused_in_a_sentence() -> None:
    with pytest.raises(
        UnreadableNotebook, match=f"it has {MAX_CELLS + 1:,} cells; at most {MAX_CELLS:,} are read"
    ):
        read_notebook(json.dumps({"cells": [cell("1")] * (MAX_CELLS + 1)}).encode())


def test_a_cell_that_is_too_long_is_left_out_and_reported() -> None:
    notebook = solved("neuron")
    notebook["cells"].append(cell("x = 1\n" * MAX_SOURCE))
    result = graded(notebook)
    assert result.points == 10
    assert result.repaired == (
        f"A cell of {6 * MAX_SOURCE - 1:,} characters was left out;"
        f" at most {MAX_SOURCE:,} of a cell and {MAX_SOURCES:,} of a notebook are read.",
    )


def test_code_over_the_limit_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = solved("neuron")
    notebook["cells"] += [
        cell("[" * 90 + "]" * 90 + "\n" + "a = b\n" * (MAX_SOURCE // 7)) for _ in range(200)
    ]
    cells = cells_of(notebook["cells"])
    assert sum(len(one.source) for one in cells) < 1.1 * MAX_SOURCES
    parsed: list[int] = []
    monkeypatch.setattr(
        cell_facts,
        "ast",
        SimpleNamespace(
            **vars(ast) | {"parse": lambda source: parsed.append(len(source)) or ast.parse(source)}
        ),
    )
    texts, _, repaired, _ = select(KNOWN, cells)
    assert sum(parsed) < 10 * MAX_SOURCES
    assert sum(map(len, texts)) < 1.1 * MAX_SOURCES
    assert len(repaired) == 1


def test_pictures_in_text_cells_do_not_use_up_the_limit_for_code() -> None:
    notebook = solved("neuron")
    notebook["cells"][:0] = [
        cell(f"![x](data:image/png;base64,{'A' * 500_000})", "markdown") for _ in range(20)
    ]
    result = graded(notebook)
    assert (result.points, result.repaired) == (10, ())


def test_texts_of_a_notebook_in_messages_are_short_and_valid_utf_8() -> None:
    notebook = solved("neuron")
    relu = next(one for one in notebook["cells"] if one["id"] == "relu")
    notebook["cells"] += [
        {**relu, "cell_type": f"{number}\ud800" + "x" * 100_000} for number in range(50)
    ]
    repaired = "\n".join(graded(notebook).repaired)
    assert "was of type 0?xxx" in repaired
    assert len(repaired.encode()) < 5_000


def deeper(frames: int, notebook: bytes) -> None:
    """Read and sanitize a notebook at a stack depth of `frames`."""
    if frames:
        return deeper(frames - 1, notebook)
    try:
        loaded = load_notebook(notebook)
    except UnreadableNotebook:
        return None
    return wrapped(60, loaded)


def wrapped(frames: int, loaded: list[dict[str, Any]]) -> None:
    if frames:
        return wrapped(frames - 1, loaded)
    select(KNOWN, cells_of(loaded))
    safe_outputs(loaded[0]["outputs"])
    return None


@pytest.mark.parametrize("place", ["source", "id", "cell_type", "outputs"])
def test_nested_lists_in_place_of_a_text_count_as_empty(place: str) -> None:
    for depth in range(700, 1_000, 3):
        nested = "[" * depth + "]" * depth
        value = f'[{{"output_type": "stream", "text": {nested}}}]' if place == "outputs" else nested
        cell = {"source": '""', "id": '""', "cell_type": '"code"', "outputs": "[]"} | {place: value}
        deeper(
            0,
            (
                '{"cells": [{' + ", ".join(f'"{key}": {item}' for key, item in cell.items()) + "}]}"
            ).encode(),
        )


def test_a_cell_with_an_invalid_escape_is_read_without_a_warning() -> None:
    assert answers_in(
        KNOWN, cells_of([cell("def relu(z):\n    '\\max(0, z)'\n    return z")])[0]
    ) == ["relu"]


def test_a_helper_in_the_cell_of_a_stub_is_kept() -> None:
    notebook = learners_notebook("neuron")
    relu = next(one for one in notebook["cells"] if one["id"] == "relu")
    relu["source"] = (
        "import numpy as np\n"
        + "".join(relu["source"])
        + "\n\ndef larger(a, b):\n    return np.maximum(a, b)"
    )
    notebook["cells"].append(cell("def relu(z):\n    return larger(z, 0)"))
    result = graded(notebook)
    assert result.verdicts["relu"].points == 2
    assert result.repaired == (
        "A second, unfinished relu was left out.",
        "relu is defined in 2 cells; the last finished one counts.",
    )


def test_a_second_stub_hides_no_finished_function() -> None:
    stub = "".join(
        next(one for one in learners_notebook("neuron")["cells"] if one["id"] == "relu")["source"]
    )
    notebook = solved("neuron")
    notebook["cells"].append(cell(f"{stub}\n\ndef something_else():\n    return 1"))
    sigmoid = next(one for one in notebook["cells"] if one["id"] == "sigmoid")
    notebook["cells"].append(cell("".join(sigmoid["source"]) + "\n\n" + stub))
    assert graded(notebook).points == 10


def test_a_changed_locked_cell_is_reported() -> None:
    notebook = written("neuron")
    changed = [one for one in notebook["cells"] if one["id"] in KNOWN.locked]
    assert "setup-01" in [one["id"] for one in changed]
    for one in changed:
        one["source"] = "import nothing_like_this"
    texts, _, repaired, _ = select(KNOWN, cells_of(notebook["cells"]))
    assert repaired == [
        f"The lesson's cell {one['id']} was changed;"
        " the original was run with the imports that were added."
        for one in changed
    ]
    assert all(texts.count(text) == 1 for text in KNOWN.locked.values())
    assert select(KNOWN, cells_of(written("neuron")["cells"])).repaired == []


GOOD_RELU = "def relu(z):\n    return np.maximum(z, 0)"


def after_check(notebook: dict[str, Any], name: str, source: str) -> dict[str, Any]:
    """Insert a cell after the check of an exercise."""
    place = [one["id"] for one in notebook["cells"]].index(f"check-{name}")
    notebook["cells"].insert(place + 1, cell(source))
    return notebook


@pytest.mark.parametrize(
    ("answer", "later"),
    [
        (GOOD_RELU, "relu = relu(np.ones(2))"),
        (GOOD_RELU, "for relu in (1, 2):\n    pass"),
        (GOOD_RELU, "del relu"),
        (GOOD_RELU, "np.maximum = min"),
        (f"FLOOR = 0\n\n{GOOD_RELU.replace(', 0', ', FLOOR')}", "FLOOR = 0.5"),
        (
            f"def helper(z):\n    return z\n\n{GOOD_RELU.replace('(z, 0)', '(helper(z), 0)')}",
            "def helper(z):\n    return -z",
        ),
        (f"import nothing_like_this\n\n{GOOD_RELU}", ""),
        (f"from missing import *\n\nif True:\n    {GOOD_RELU.replace('    ', '        ')}", ""),
        (f"name = input('name? ')\n\n{GOOD_RELU}", ""),
        (f"await nothing()\n\n{GOOD_RELU}", ""),
        (f"get_ipython().user_ns['z'] = 3\n{GOOD_RELU}", ""),
        (f"1 / 0\n{GOOD_RELU}", ""),
        (f"%time 1 + 1\n{GOOD_RELU}\nnp.maximum?", ""),
        ("relu = lambda z: np.maximum(z, 0)", "relu = relu(np.ones(2))"),
        (f"%%time\n{GOOD_RELU}", ""),
    ],
)
def test_a_function_is_asked_as_it_is_at_its_check(answer: str, later: str) -> None:
    notebook = after_check(solved("neuron"), "relu", later)
    next(one for one in notebook["cells"] if one["id"] == "relu")["source"] = answer
    assert graded(notebook).points == 10


def test_a_function_defined_again_after_its_check_is_the_one_that_counts() -> None:
    notebook = after_check(written("neuron", relu="def relu(z):\n    return z"), "relu", GOOD_RELU)
    assert graded(notebook).verdicts["relu"].solved


def test_a_name_that_a_later_cell_defines_is_waited_for() -> None:
    notebook = written("neuron", relu=f"{GOOD_RELU.replace(', 0', ', floor')}")
    assert graded(after_check(notebook, "relu", "floor = 0")).verdicts["relu"].solved


def test_imports_that_are_added_to_a_locked_cell_run() -> None:
    answer = "def relu(z):\n    return np.where(z > 0, math.fsum([1.0]) * z, 0 * z)"
    for place in ("setup-01", "check-relu"):
        notebook = written("neuron", relu=answer)
        one = next(one for one in notebook["cells"] if one["id"] == place)
        one["source"] = f"import math\n{''.join(one['source'])}"
        assert graded(notebook).verdicts["relu"].points > 0


def test_a_module_written_by_a_cell_is_imported() -> None:
    notebook = written("neuron", relu="from helpers import relu")
    place = [one["id"] for one in notebook["cells"]].index("relu")
    source = f"%%writefile helpers.py\nimport numpy as np\n\n{GOOD_RELU}"
    notebook["cells"].insert(place, cell(source))
    assert graded(notebook).verdicts["relu"].solved
