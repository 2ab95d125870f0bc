"""Test `check(f)` with right, wrong, unfinished and odd functions, and its side effects."""

from __future__ import annotations

import json
import random
import shutil
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from answers import function_of

from course import ROOT, lesson, named
from grader import check, harden
from grader.learner.check import Check, Interrupted
from grader.learner.progress import load_progress
from grader.learner.trial import code_of, outcomes_along
from playground.functions import finished

REFERENCE = lesson("neuron").reference


@pytest.fixture(autouse=True)
def in_the_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a learner's folder of the neuron lesson."""
    folder = tmp_path / "neuron"
    folder.mkdir()
    shutil.copyfile(ROOT / "course" / "neuron" / "answers.key", folder / "answers.key")
    monkeypatch.chdir(folder)
    # A busy machine may stop this process longer than a learner may have to wait.
    patient = partial(code_of, seconds=600, each=5)
    monkeypatch.setattr("grader.learner.check.code_of", patient)
    along = partial(outcomes_along, seconds=600)
    monkeypatch.setattr("grader.learner.check.outcomes_along", along)
    return folder


def relu_that(returns: Any) -> Callable[..., Any]:
    return named("relu", lambda z: returns(z) if callable(returns) else returns)


def test_a_right_answer_is_solved_with_all_points_as_text() -> None:
    shown = check(REFERENCE["sigmoid"])
    assert repr(shown) == "3.0"
    assert "✓ solved, 3 of 3 points" in shown._repr_html_()
    assert "1 of 4 exercises" in shown._repr_html_()


def test_a_solved_exercise_folds_other_ways_than_the_learners() -> None:
    by_mask = function_of("def relu(z):\n    return z * (np.asarray(z) > 0)  # mine\n")
    for function, others in ((REFERENCE["relu"], 3), (by_mask, 2)):
        fold = check(function)._repr_html_().partition("<details>")[2]
        assert fold.count("<pre>") == others
        assert fold.startswith("<summary>Other right ways</summary>")
        assert ("asarray(z) &gt; 0" in fold) is (function is not by_mask)
    assert "<details" not in check(named("relu", lambda z: z))._repr_html_()


@pytest.mark.parametrize("exercise", list(REFERENCE))
def test_every_misconception_gets_its_own_hint(exercise: str) -> None:
    for misconception in lesson("neuron").exercises[exercise].misconceptions:
        verdict = check(named(exercise, misconception.function)).verdict
        assert not verdict.solved
        assert verdict.hint == misconception.hint, misconception.name


def test_wrong_values_are_drawn_beside_the_expected_ones() -> None:
    html = check(named("relu", lambda z: np.abs(z)))._repr_html_()
    assert "yours differs from the expected result[0]" in html
    assert "data-says" in html, "a slider can run along the curves"
    assert html.index("</table>") < html.index('<svg role="img"') < html.index('class="hint"')
    for other in (REFERENCE["relu"], lambda z: 0.0, lambda z: np.maximum(np.asarray(z), 0) * 1.0):
        assert "<svg" not in check(named("relu", other))._repr_html_()


def test_warnings_that_cannot_be_heard_are_not_called_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "✓ no warnings at extreme inputs<" in check(REFERENCE["sigmoid"])._repr_html_()
    monkeypatch.setattr("grader.learner.check.warnings_are_heard", lambda: False)
    html = check(REFERENCE["sigmoid"])._repr_html_()
    assert "– no warnings at extreme inputs: looked at after handing in<" in html
    assert "✓ no warnings" not in html
    assert "✓ right at extreme inputs<" in html


def test_a_copy_of_the_first_edition_finds_its_key(in_the_lesson: Path) -> None:
    (in_the_lesson / "answers.key").rename(in_the_lesson / "answers.json")
    assert check(REFERENCE["relu"]).verdict.solved


def test_an_answer_without_a_hint_of_its_own_is_led_to_those_above_the_cell(
    in_the_lesson: Path,
) -> None:
    path = in_the_lesson / "answers.key"
    key = json.loads(path.read_text())
    key["exercises"]["relu"] |= {"hints": 3, "misconceptions": []}
    path.write_text(json.dumps(key))
    sentence = "There is help above its cell: 3 hints."
    assert sentence in check(named("relu", lambda z: np.cos(z) + 0.3))._repr_html_()
    named_by_relation = check(named("relu", lambda z: 2 * np.maximum(z, 0)))
    assert named_by_relation.verdict.advice
    for other in (named_by_relation, check(REFERENCE["relu"])):
        assert sentence not in other._repr_html_()


def test_a_worse_try_says_when_it_was_right_and_stays_solved(in_the_lesson: Path) -> None:
    worse = named("sigmoid", lambda z: 0.0)
    assert "It was right" not in check(worse)._repr_html_()
    check(REFERENCE["sigmoid"])
    assert "2 of 4 exercises" in check(REFERENCE["relu"])._repr_html_()
    html = check(worse)._repr_html_()
    assert "It was right on" in html
    assert "2 of 4 exercises" in html
    assert load_progress(in_the_lesson)["solved"] == {"sigmoid": 3.0, "relu": 2.0}


def test_a_slip_is_told_in_the_learners_own_words() -> None:
    lines = "    for xi, wi in zip(x, w):\n        s += xi * wi\n        return s + b\n"
    shown = check(function_of(f"def weighted_sum(x, w, b):\n    s = 0\n{lines}"))
    assert shown.verdict.mistake == "return_in_loop"
    assert "Hint: <code>return s + b</code> ends the function" in shown._repr_html_()


def test_a_wrong_answer_shows_input_yours_expected_and_one_hint() -> None:
    html = check(named("relu", lambda z: np.abs(z)))._repr_html_()
    for part in (
        "z</th>",
        "yours</th>",
        "expected</th>",
        "Hint: That is the absolute value",
        "✗ right values",
        "0 of 2 points",
    ):
        assert part in html
    assert html.count("Hint:") == 1


def test_no_card_holds_a_line_of_the_reference() -> None:
    for exercise, item in lesson("neuron").exercises.items():
        for misconception in item.misconceptions:
            html = check(named(exercise, misconception.function))._repr_html_()
            assert "np.maximum(z, 0)" not in html
            assert "BEGIN SOLUTION" not in html


def unwritten(z: Any) -> Any:
    raise NotImplementedError("not yet")


def endless(z: Any) -> Any:
    return endless(z)


def stops(z: Any) -> Any:
    raise SystemExit(1)


class Odd:
    """An object whose every question fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __eq__ = __array__ = __len__ = __iter__ = __float__ = __repr__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("relu", "message"),
    [
        (unwritten, "relu is not written yet: replace the line"),
        (named("relu", lambda z, slope: z), "relu takes (z); yours takes (z, slope)."),
        (named("relu", lambda: 0), "relu takes (z); yours takes ()."),
        (endless, "It raised RecursionError"),
        (stops, "It raised SystemExit"),
        (relu_that(lambda z: z[99]), "It raised IndexError"),
        (relu_that(None), "It returned None: is its return missing?"),
        (relu_that(lambda z: [[1.0], [1.0, 2.0]]), "another kind"),
        (relu_that("text"), "another kind"),
        (
            relu_that(lambda z: np.zeros(3_000_000)),
            "an array of shape (3000000,), which is more than 1,000,000 numbers",
        ),
        (relu_that(lambda z: np.array(["a"])), "array of dtype"),
        (relu_that(lambda z: np.sqrt), "It returned a function."),
        (relu_that(Odd()), "of type Odd"),
        (relu_that(lambda z: 10**400), "an integer of more than 300 digits"),
        (relu_that({}), "of type dict"),
        (relu_that(lambda z: np.full(np.shape(z), np.nan)), "numbers differ"),
        (relu_that(lambda z: z.astype(complex)), "dtype complex128"),
        (relu_that("<script>alert(1)</script>"), "&lt;script&gt;"),
    ],
)
def test_anything_a_function_does_is_reported_and_never_raised(
    relu: Callable[..., Any], message: str
) -> None:
    shown = check(named("relu", relu))
    assert repr(shown) == "0.0"
    assert message in shown._repr_html_()
    assert "<script>" not in shown._repr_html_()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "check takes the function itself"),
        ("relu", "check takes the function itself"),
        (len, "No exercise of this lesson is called len"),
    ],
)
def test_wrong_use_of_check_is_reported(given: Any, message: str) -> None:
    assert message in check(given)._repr_html_()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "answers.key is not in neuron/"),
        ("{", "can&#x27;t be read"),
        ("[" * 100_000, "can&#x27;t be read"),
        ("[]", "can&#x27;t be read"),
        ('{"format": 0}', "another version"),
        ('{"format": 2}', "can&#x27;t be read"),
        ('{"format": 3}', "is damaged"),
    ],
)
def test_a_missing_or_damaged_key_is_reported_with_a_fix(
    content: str | None, message: str, in_the_lesson: Path
) -> None:
    key = in_the_lesson / "answers.key"
    key.unlink() if content is None else key.write_text(content)
    html = check(REFERENCE["relu"])._repr_html_()
    assert message in html
    assert "make reset" in html


def test_a_check_leaves_warnings_random_states_and_output_untouched(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def noisy(z: Any) -> Any:
        print("noise")
        warnings.warn("noise", RuntimeWarning, stacklevel=1)
        np.random.seed(0)
        random.seed(0)
        return np.maximum(z, 0) / np.float64(0)

    random.seed(5)
    np.random.seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        filters = list(warnings.filters)
        check(named("relu", noisy))
        assert warnings.filters == filters
    assert capsys.readouterr() == ("", "")
    after = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    assert after == (random.random(), np.random.random())


def test_output_of_a_failing_function_is_shown() -> None:
    def talks(z: Any) -> Any:
        print("here I am")
        return z

    assert "here I am" in check(named("relu", talks))._repr_html_()


def test_an_input_changed_in_one_case_reaches_no_other() -> None:
    def wipes(z: Any) -> Any:
        result = np.maximum(z, 0)
        if isinstance(z, np.ndarray):
            z[...] = 0
        return result

    first, second = check(named("relu", wipes)).verdict, check(named("relu", wipes)).verdict
    assert first == second
    assert first.missed == ("purity",)
    assert check(REFERENCE["relu"]).verdict.solved


def test_a_full_disk_costs_only_the_saved_progress(
    in_the_lesson: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.learner.progress.atomic_write", full)
    assert check(REFERENCE["relu"]).verdict.solved
    assert "2 of 4 exercises" in check(REFERENCE["dense"])._repr_html_()


def test_one_mistake_costs_once() -> None:
    def in_place(z: Any) -> Any:
        z = np.asarray(z)
        z *= np.float64(1.0) if z.dtype.kind == "f" else 0.5  # on integers numpy refuses this
        z[z < 0] = 0
        return z

    verdict = check(named("relu", in_place)).verdict
    assert "purity" in verdict.missed
    assert "integer" not in verdict.missed


def points(function: Callable[..., Any]) -> float:
    shown = check(function)
    assert isinstance(shown, Check)
    return shown.verdict.points


def test_right_values_earn_half_and_each_other_property_an_equal_share() -> None:
    assert (
        points(named("sigmoid", lambda z: 1 / (1 + np.exp(-np.asarray(z))))) == 2.7
    )  # one of five others missed
    assert points(named("relu", lambda z: np.where(np.asarray(z) > 0, z, 0))) == 1.8
    assert points(named("relu", lambda z: np.asarray(z) * 1.0)) == 0


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the names that a running notebook knows."""
    names: dict[str, Any] = {}
    monkeypatch.setattr(
        "IPython.core.getipython.get_ipython", lambda: SimpleNamespace(user_ns=names)
    )
    return names


class Relu:
    def __call__(self, z: Any) -> Any:
        return np.maximum(z, 0)


def loud_sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(z)))


def test_what_the_lesson_hardens_later_is_left_to_that_cell(in_the_lesson: Path) -> None:
    function = named("sigmoid", loud_sigmoid)
    for hardened in ([], ["sigmoid"]):
        path = in_the_lesson / "answers.key"
        path.write_text(json.dumps({**json.loads(path.read_text()), "hardened": hardened}))
        now, later = check(function), harden(function)
        assert now.verdict == later.verdict
        assert ("✓ works, 2.7 of 3 points" in now._repr_html_()) == bool(hardened)
        assert ("Hint:" in now._repr_html_()) == (not hardened)
        assert "✗ not yet, 2.7 of 3 points" in later._repr_html_()
        assert f"Hint: {later.verdict.hint}" in later._repr_html_()
    wrong = named("sigmoid", lambda z: np.tanh(z))
    assert "✗ not yet" in check(wrong)._repr_html_()


@pytest.mark.parametrize(
    "relu",
    [lambda z: np.maximum(z, 0), Relu(), partial(np.clip, a_min=0, a_max=None)],
    ids=["lambda", "object", "partial"],
)
def test_a_function_without_a_name_is_found_by_its_variable(
    relu: Any, notebook: dict[str, Any]
) -> None:
    notebook["relu"] = relu
    assert "✓ solved, 2 of 2 points" in check(relu)._repr_html_()
    notebook["relu"] = lambda z: z
    assert "✓ solved" not in check(relu)._repr_html_()


def test_a_name_that_is_now_a_value_is_reported(notebook: dict[str, Any]) -> None:
    notebook["sigmoid"] = np.float64(0.5)
    shown = check(notebook["sigmoid"])
    assert "sigmoid is now a value (float64), not a function" in shown._repr_html_()
    assert repr(shown) == "0.0"


def test_a_function_of_the_course_is_not_the_learners() -> None:
    shown = check(finished.relu)
    assert "function from playground.functions.finished: write your own" in shown._repr_html_()
    assert load_progress(Path.cwd())["solved"] == {}


def test_parameters_in_another_order_are_reported_if_nothing_is_right() -> None:
    def weighted_sum(b: Any, w: Any, x: Any) -> Any:
        return x @ w + b

    assert (
        "weighted_sum takes (x, w, b), in this order; yours takes (b, w, x)."
        in check(weighted_sum)._repr_html_()
    )

    def renamed(w: Any, x: Any, b: Any) -> Any:
        return w @ x + b

    assert "✓ solved" in check(named("weighted_sum", renamed))._repr_html_()


def test_an_interrupted_check_shows_a_sentence_and_no_traceback() -> None:
    def relu(z: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        check(relu)
    (text,) = caught.value._render_traceback_()
    assert text.startswith("relu was interrupted before it ended.")


NO_RETURN = "It returned None: is its return missing?"


@pytest.mark.parametrize(
    ("name", "exercise", "answer", "message"),
    [
        ("chain_rule", "chain", lambda d_outer, inner, d_inner: None, NO_RETURN),
        ("initialization", "init_normal", lambda *inputs: None, NO_RETURN),
        (
            "chain_rule",
            "numerical_grad",
            lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
            "numerical_grad takes (f, x, h=…); yours takes (f, x, h).",
        ),
    ],
)
def test_missing_results_and_parameters_are_named_in_every_lesson(
    name: str, exercise: str, answer: Any, message: str, in_the_lesson: Path
) -> None:
    shutil.copyfile(ROOT / "course" / name / "answers.key", in_the_lesson / "answers.key")
    shown = check(named(exercise, answer))._repr_html_()
    assert message in shown


def test_a_file_or_package_that_grading_lacks_is_named(
    in_the_lesson: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (in_the_lesson / "helpers.py").write_text(
        "import numpy as np\nfloor = 0\n\ndef relu(z):\n    return np.maximum(z, floor)\n"
    )
    monkeypatch.syspath_prepend(str(in_the_lesson))
    names: dict[str, Any] = {"__name__": "__main__"}
    import helpers  # type: ignore[import-not-found]

    names |= {"np": np, "helpers": helpers, "pandas_like": ModuleType("pandas_like")}
    exec("def relu(z):\n    return np.maximum(z, helpers.floor)", names)
    imported, uses_it = check(helpers.relu).verdict, check(names["relu"]).verdict
    assert imported.solved
    assert uses_it.solved
    assert "helpers.py beside the notebook is not graded" in str(imported.note)
    assert "helpers.py beside the notebook is not graded" in str(uses_it.note)
    exec("def relu(z):\n    pandas_like\n    return np.maximum(z, 0)", names)
    assert "pandas_like may be missing" in str(check(names["relu"]).verdict.note)
    exec("def relu(z):\n    return np.maximum(z, 0)", names)
    assert check(names["relu"]).verdict.note is None


INDIRECT = {
    "in a comprehension": "np.array([helpers.one(v) for v in np.ravel(z)]).reshape(np.shape(z))",
    "in a lambda": "(lambda z: helpers.one(z))(z)",
    "in another function": "other(z)",
    "in np.vectorize": "each(z)",
}


@pytest.mark.parametrize("where", INDIRECT)
def test_what_grading_lacks_is_named_where_another_function_uses_it(
    where: str, in_the_lesson: Path
) -> None:
    (in_the_lesson / "helpers.py").touch()
    helpers = ModuleType("helpers")
    vars(helpers)["one"] = lambda z: np.maximum(z, 0)
    names: dict[str, Any] = {"__name__": "__main__", "np": np, "helpers": helpers}
    exec("def other(z):\n    return helpers.one(z)", names)
    names["each"] = np.vectorize(names["other"])
    exec(f"def relu(z):\n    return {INDIRECT[where]}", names)
    verdict = check(names["relu"]).verdict
    assert verdict.solved
    assert "helpers.py beside the notebook is not graded" in str(verdict.note)


def test_the_name_of_an_attribute_is_no_use_of_a_function_with_that_name() -> None:
    names: dict[str, Any] = {"__name__": "__main__", "np": np, "pandas_like": ModuleType("a")}
    exec("def clip(z):\n    return pandas_like.clip(z)", names)
    exec("def relu(z):\n    return np.asarray(z).clip(0)", names)
    assert check(names["relu"]).verdict.note is None
