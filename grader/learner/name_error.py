"""Below a NameError, say which cell defines the missing name and has to be run first.

`grader/kernelconfig/ipython_kernel_config.json` loads this into every kernel of the environment; outside a lesson it says nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.display import HTML, display

from grader.comparison.answer_key import KeyMissing, load_key
from grader.comparison.judge import State, Verdict
from grader.comparison.present import verdict_html

RUN_ALL_ABOVE = "In the menu: Run, Run All Above Selected Cell."


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Look at the result of every cell that is run."""

    def explain(result: ExecutionResult) -> None:
        if isinstance(error := result.error_in_exec, NameError) and (
            sentence := what_to_run(error, shell.user_ns, Path.cwd())
        ):
            verdict = Verdict(error.name or "", State.UNJUDGED, 0.0, 0.0, note=sentence)
            display(HTML(verdict_html(verdict)))

    shell.events.register("post_run_cell", explain)


def what_to_run(error: NameError, defined: dict[str, Any], folder: Path) -> str | None:
    """What a learner should run before a cell that failed; None where that isn't what went wrong."""
    try:
        exercises = load_key(folder)["exercises"]
    except (KeyMissing, KeyError):
        return None
    if "check" not in defined:
        return f"The cells above have not been run since the kernel started, so it does not know {error.name} yet. Run them first, then this one again. {RUN_ALL_ABOVE}"
    if error.name in exercises and error.name not in defined:
        return (
            f"The cell in which you write {error.name} has not been run since the kernel started. Run it first, then this one again. {RUN_ALL_ABOVE}"
            f" If you have run it, see that it ended without an error and still says def {error.name}(…): the name stays as it came."
        )
    return None
