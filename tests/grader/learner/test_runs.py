"""Test in a real kernel that a check judges the function of its cell's last run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from course import ROOT

RIGHT = "import numpy as np\ndef relu(z):\n    return np.maximum(z, 0.0)"
SETUP, CHECK = "from grader import check", "check(relu)"

LOGGED = (
    "from functools import wraps\ndef logged(f):\n    @wraps(f)\n"
    "    def inner(*given):\n        return f(*given)\n    return inner"
)
BARE = LOGGED.replace("    @wraps(f)\n", "")
DECORATED = RIGHT.replace("def", "@logged\ndef")

RUNS: dict[str, tuple[list[tuple[str, str]], str]] = {
    # the cells that are run, by id and text, and a phrase of the last output
    "as it is": ([("a", RIGHT), ("b", CHECK)], "✓ solved"),
    "again": ([("a", RIGHT), ("a", RIGHT), ("b", CHECK)], "✓ solved"),
    "a syntax error": ([("a", RIGHT), ("a", RIGHT + ")"), ("b", CHECK)], "with a SyntaxError"),
    "an error before it": (
        [("a", RIGHT), ("a", f"nothing\n{RIGHT}"), ("b", CHECK)],
        "with a NameError",
    ),
    "an error after it": ([("a", RIGHT), ("a", f"{RIGHT}\nnothing"), ("b", CHECK)], "✓ solved"),
    "another name": (
        [("a", RIGHT), ("a", RIGHT.replace("relu", "mine")), ("b", CHECK)],
        "without defining it",
    ),
    "moved and not run there": (
        [("a", RIGHT), ("a", "# below"), ("b", CHECK)],
        "cell that it is in",
    ),
    "in another cell": ([("a", RIGHT), ("a", "# below"), ("c", RIGHT), ("b", CHECK)], "✓ solved"),
    "repaired": ([("a", RIGHT), ("a", RIGHT + ")"), ("a", RIGHT), ("b", CHECK)], "✓ solved"),
    "a magic above it": ([("a", f"%time\n{RIGHT}"), ("b", CHECK)], "✓ solved"),
    "a syntax error, decorated": (
        [("d", LOGGED), ("a", DECORATED), ("a", DECORATED + ")"), ("b", CHECK)],
        "with a SyntaxError",
    ),
    "a decorator that is run again": (
        [("d", LOGGED), ("a", DECORATED), ("d", f"{LOGGED}\n# mine"), ("b", CHECK)],
        "✓ solved",
    ),
    "a bare decorator that is run again": (
        [("d", BARE), ("a", DECORATED), ("d", f"{BARE}\n# mine"), ("b", CHECK)],
        "✓ solved",
    ),
    "in another folder": (
        [("a", RIGHT), ("c", "import os\nos.chdir('..')"), ("b", CHECK)],
        "✓ solved",
    ),
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlockingKernelClient]:
    """Start a kernel in a learner's folder."""
    folder = tmp_path_factory.mktemp("work") / "neuron"
    folder.mkdir()
    shutil.copy(ROOT / "course" / "neuron" / "answers.key", folder)
    manager, client = start_new_kernel(cwd=str(folder), extra_arguments=["--log-level=ERROR"])
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(kernel: BlockingKernelClient, cell_id: str, text: str) -> str:
    """Run a cell as JupyterLab does, which names it; return its result as HTML."""
    content = {"code": text, "silent": False, "store_history": True, "stop_on_error": False}
    request = kernel.session.msg("execute_request", content, metadata={"cellId": cell_id})
    kernel.shell_channel.send(request)
    html = ""
    while True:
        message = kernel.get_iopub_msg(timeout=None)
        if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
            continue
        if message["msg_type"] == "execute_result":
            html = message["content"]["data"]["text/html"]
        if message["content"].get("execution_state") == "idle":
            return html


@pytest.mark.parametrize("name", RUNS)
def test_a_check_judges_the_last_run_of_the_cell(name: str, kernel: BlockingKernelClient) -> None:
    runs, phrase = RUNS[name]
    *_, html = [run(kernel, *cell) for cell in [("s", SETUP), *runs]]
    assert phrase in html
