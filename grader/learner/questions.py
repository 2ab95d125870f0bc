"""Ask a question of the lesson and remember the learner's choice."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import load_key
from grader.comparison.schema import AnyQuestion
from grader.learner.notebook import lesson_folder, lesson_keys
from grader.learner.progress import load_progress, not_saved, record_answer

STYLE = """<style>
.asked{max-width:46em;font-family:var(--jp-ui-font-family,sans-serif);font-size:14px;\
line-height:1.5;color:var(--jp-ui-font-color1,#222)}
.asked ul{margin:.3em 0 .3em 1.2em;padding:0}
</style>"""

# ipywidgets doesn't name its radio buttons and sliders, and can't be asked to from Python: with one
# name, radio buttons are one stop of Tab, and arrow keys stay in them. Jupyter's pages would hear
# the keys too, unless an element forbids it; keys with Ctrl, Alt, Meta or Shift stay theirs, unless
# the handler returns false.
SCRIPT = """
const form = this.closest('.asked-form'), text = form.querySelector('.asked').textContent;
const put = (one, name, value) => one.getAttribute(name) === value || one.setAttribute(name, value);
const name = () => {
  for (const radios of form.querySelectorAll('.widget-radio-box')) {
    put(radios, 'role', 'radiogroup');
    put(radios, 'aria-label', text);
    for (const radio of radios.querySelectorAll('input')) put(radio, 'name', text);
  }
  for (const slider of form.querySelectorAll('.widget-slider')) {
    const handle = slider.querySelector('.noUi-handle');
    const number = slider.querySelector('.widget-readout');
    if (!handle) continue;
    put(handle, 'aria-label', text);
    put(handle, 'aria-valuetext', number.textContent);
    put(number, 'tabindex', '-1');
    put(number, 'role', 'textbox');
    put(number, 'aria-label', 'exact number');
  }
};
new MutationObserver(name).observe(form,
  {subtree: true, childList: true, attributeFilter: ['aria-valuetext']});
name();
const keys = event => void event.target.toggleAttribute('data-lm-suppress-shortcuts',
  !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey
    || event.target.closest('.asked')));
form.onkeydown = form.onkeyup = keys;
form.addEventListener('focusin', keys);
""".replace("\n", " ")
MOST_AGAIN = 2
FOCUS = "this.parentElement.querySelector('[role=status]').focus()"


def shuffled(name: str, questions: Mapping[str, AnyQuestion], seed: str) -> list[str]:
    """Return the options of a lesson's question in an order that is steady for one learner.

    Over the questions of a lesson with as many options the right one is first, second, … equally
    often, so that its place gives nothing away.

    Args:
        name: of the question.
        questions: of the lesson, by name.
        seed: differs between learners.
    """
    question = questions[name]
    assert "wrong" in question, "a question with options"
    options = list(question["wrong"])
    alike = [
        one for one, it in questions.items() if "wrong" in it and len(it["wrong"]) == len(options)
    ]
    order = sorted(alike, key=lambda one: random.Random(f"{seed}/{one}").random())
    random.Random(f"{seed}/{name}").shuffle(options)
    options.insert((order.index(name) + 1) % (len(options) + 1), question["answer"])
    return options


def is_right(question: AnyQuestion, chosen: str) -> bool:
    """Return whether a recorded answer is the right option, or close to the right number."""
    if "wrong" in question:
        return chosen == question["answer"]
    number = _number(chosen)
    return number is not None and abs(number - question["answer"]) <= question["close"] + 1e-9


def fits(question: AnyQuestion, chosen: str | None) -> bool:
    """Return whether a recorded answer belongs to this version of the question."""
    if chosen is None or "wrong" not in question:
        return chosen is not None and _number(chosen) is not None
    return chosen == question["answer"] or chosen in question["wrong"]


def _number(chosen: str) -> float | None:
    with contextlib.suppress(ValueError):
        return number if math.isfinite(number := float(chosen)) else None
    return None


class QuestionView:
    """A question and the learner's answer to it.

    Attributes:
        name: the question's name in the answer key; "lesson/question" for one of another lesson.
        chosen: the learner's first answer, now or in an earlier session, or None.
    """

    def __init__(
        self, name: str, questions: Mapping[str, AnyQuestion], label: str, folder: Path
    ) -> None:
        self.name, self._label, self._folder = name, label, folder
        short = name.rpartition("/")[2]
        self._question = question = questions[short]
        self._options, self._still_options = (
            shuffled(short, questions, seed) if "wrong" in question else []
            for seed in (str(folder), "")
        )
        self.chosen: str | None = None
        self._callbacks: list[Callable[[], object]] = []
        self.reload()

    @property
    def answered(self) -> bool:
        """Return whether the learner has answered."""
        return self.chosen is not None

    @property
    def guess(self) -> float | None:
        """The learner's number, or None."""
        return None if self.chosen is None else _number(self.chosen)

    def on_answer(self, callback: Callable[[], object]) -> None:
        """Call `callback` once the question is answered, which may be now."""
        self._callbacks.append(callback)
        self._notify()

    def choose(self, answer: str) -> None:
        """Record an answer; the first one stays."""
        if not self.answered:
            record_answer(self._folder, self.name, answer, lambda old: fits(self._question, old))
            first = load_progress(self._folder)["answers"].get(self.name)
            self.chosen = first if fits(self._question, first) else answer
            self._notify()

    def reload(self) -> None:
        """Read the saved answer again: another kernel or a fresh lesson may have changed it."""
        chosen = load_progress(self._folder)["answers"].get(self.name)
        self.chosen = chosen if fits(self._question, chosen) else None
        self._notify()

    def reply(self) -> str:
        """Return whether the answer is right, why, and a warning if it can't be saved."""
        question, chosen = self._question, self.chosen or ""
        if is_right(question, chosen):
            first = "✓ Yes." if "wrong" in question else f"✓ Yes, it is {question['answer']:g}."
        elif "wrong" in question:
            first = f"✗ {question['wrong'][chosen]} The answer is: {question['answer']}."
        else:
            low = (self.guess or 0.0) < question["answer"]
            first = f"✗ It is {question['answer']:g}. "
            first += question["too_low"] if low else question["too_high"]
        return " ".join(filter(None, (first, question["why"], not_saved(self._folder))))

    def show(self) -> None:
        """Display the question as buttons, and as text for readers without a kernel."""
        from IPython.display import display

        style_class, text = f"asked-{self.name.replace('/', '-')}", self._question["text"]
        plain = "\n".join([f"{self._label}: {text}", *(f"- {one}" for one in self._still_options)])
        items = "".join(f"<li>{escape(one)}</li>" for one in self._still_options)
        still = f"<p><b>{self._label}.</b> {escape(text)}</p>{items and f'<ul>{items}</ul>'}"
        html = f'{STYLE}<div class="asked {style_class}">{still}</div>'
        display({"text/plain": plain, "text/html": html}, raw=True)
        widget = self._widget(style_class)._repr_mimebundle_() or {}
        display({**widget, "text/plain": ""}, raw=True)

    def _notify(self) -> None:
        if self.answered:
            callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                callback()

    def _widget(self, style_class: str) -> Any:
        """Return the question's controls; its style hides the text of the same question."""
        import ipywidgets as widgets

        place, still = ".jp-OutputArea-child", f".{style_class}"
        above = f"{place}:has(+ {place} .asked-form) {still}"  # in this notebook alone
        elsewhere = f"body:not(:has({place})) {still}"
        question = widgets.HTML(
            f'{STYLE}<style>{above}, {elsewhere} {{display:none}}</style><div class="asked">'
            f"<b>{self._label}.</b> {escape(self._question['text'])}</div>"
            f'<style onload="{SCRIPT}"></style>'
        )
        control, reply = self._control(widgets), widgets.HTML()
        button = widgets.Button(description="Answer", disabled=control.value is None)

        def show_reply(focus: str = "") -> None:
            control.disabled, button.layout.display = True, "none"
            control.value = self.chosen if "wrong" in self._question else self.guess
            text = f'<div class="asked" role="status" tabindex="-1">{escape(self.reply())}</div>'
            reply.value = f'{text}<style onload="{focus}"></style>'

        def confirm(_: Any) -> None:
            self.choose(str(control.value))
            show_reply(FOCUS)

        control.observe(lambda _: setattr(button, "disabled", False), "value")
        button.on_click(confirm)
        self.on_answer(show_reply)
        form = widgets.VBox([question, control, button, reply])
        form.add_class("asked-form")
        return form

    def _control(self, widgets: Any) -> Any:
        """Return radio buttons or a slider, at the learner's answer if there is one."""
        if (question := self._question) and "wrong" in question:
            wide = widgets.Layout(width="auto")
            return widgets.RadioButtons(options=self._options, value=self.chosen, layout=wide)
        low, high, step = question["low"], question["high"], question["step"]
        middle = low + step * round((high - low) / step / 2)
        value = middle if self.guess is None else min(max(self.guess, low), high)
        wide = widgets.Layout(width="24em")
        return widgets.FloatSlider(
            value, min=low, max=high, step=step, description="your guess", layout=wide
        )


_asked: dict[tuple[Path, str], QuestionView] = {}
"""Questions asked since the kernel started. Module state because a play keeps waiting for the
same question when the learner runs its cell again."""


def predict(name: str) -> QuestionView:
    """Ask for a prediction; pass the result to a play as ``after=`` to unlock it on the answer.

    Raises:
        KeyMissing: the answer key is not beside the notebook.
        KeyError: the lesson has no such question.
    """
    return _ask(name, "Predict first")


def recall(*names: str) -> None:
    """Ask recall questions: answer from memory first, then read why.

    Raises:
        KeyMissing, KeyError: as for `predict`.
    """
    for name in names:
        _ask(name, "Recall")


def recall_missed() -> None:
    """Ask up to `MOST_AGAIN` questions again that were answered wrong in neighbouring lessons.

    The answer is saved here under "lesson/question", so that the question comes once in a lesson
    and, if missed again, returns in the next.
    """
    folder = lesson_folder()
    keys = lesson_keys(folder.parent)
    for name in missed_elsewhere(folder)[:MOST_AGAIN]:
        questions = keys[name.partition("/")[0]]["questions"]
        QuestionView(name, questions, "Once more", folder).show()


def missed_elsewhere(folder: Path) -> list[str]:
    """Return "lesson/question" of the questions never answered right outside `folder`."""
    keys = lesson_keys(folder.parent)
    questions = {
        f"{lesson}/{name}": question
        for lesson, key in keys.items()
        for name, question in key["questions"].items()
    }
    right: dict[str, bool] = {}
    for lesson in keys.keys() - {folder.name, *_kept_copies(keys)}:
        for name, chosen in load_progress(folder.parent / lesson)["answers"].items():
            full = name if "/" in name else f"{lesson}/{name}"
            if question := questions.get(full):
                right[full] = right.get(full, False) or is_right(question, chosen)
    return sorted(full for full in right if not right[full])


def _kept_copies(lessons: Collection[str]) -> Iterator[str]:
    """Yield names like neuron-1, which `grader reset` gives a learner's older copy."""
    for name in lessons:
        lesson, _, number = name.rpartition("-")
        if number.isdecimal() and lesson in lessons:
            yield name


def _ask(name: str, label: str) -> QuestionView:
    folder = lesson_folder()
    questions = load_key(folder)["questions"]
    if name not in questions:
        there = ", ".join(questions)
        raise KeyError(f"no question of this lesson is called {name!r}; it has {there}")
    if view := _asked.get((folder, name)):
        view.reload()
    else:
        view = _asked[folder, name] = QuestionView(name, questions, label, folder)
    view.show()
    return view
