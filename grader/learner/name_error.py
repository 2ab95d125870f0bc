"""Below a NameError, say which cell defines the missing name and has to be run first.

`grader/kernelconfig/ipython_kernel_config.json` loads this IPython extension into every kernel of
the environment; outside a lesson it does nothing.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.display import HTML, display

from grader.comparison.answer_key import KeyMissing, load_key
from grader.comparison.judge import State, Verdict
from grader.comparison.present import verdict_html
from grader.learner.notebook import lesson_folder
from grader.learner.runs import RUNS

RUN_FIRST = "first, then this one again. In the menu: Run, Run All Above Selected Cell."


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the explanation of NameErrors with IPython, and the record of runs."""

    def explain(result: ExecutionResult) -> None:
        error = result.error_in_exec
        if isinstance(error, NameError) and (
            note := cell_to_run(error, shell.user_ns, lesson_folder())
        ):
            verdict = Verdict(error.name or "", State.UNJUDGED, 0.0, 0.0, note=note)
            display(HTML(verdict_html(verdict)))

    shell.events.register("post_run_cell", explain)
    shell.events.register("post_run_cell", RUNS.note)


def cell_to_run(error: NameError, defined: Container[str], folder: Path) -> str | None:
    """Return which cell the learner has to run first, or None if that isn't the problem."""
    if error.name is None:  # of a local variable, or raised by the learner
        return None
    try:
        exercises = load_key(folder)["exercises"]
    except KeyMissing:
        return None
    if "check" not in defined:
        return (
            "The cells above have not been run since the kernel started,"
            f" so {error.name} is not defined yet. Run them {RUN_FIRST}"
        )
    if error.name in exercises and error.name not in defined:
        return (
            f"The cell in which you write {error.name} has not been run since the kernel started."
            f" Run it {RUN_FIRST} If you have run it, see that it ended without an error"
            f" and still begins with def {error.name}(…): keep the name."
        )
    return None
