"""Ask a question of the lesson and remember the learner's choice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import load_key
from grader.comparison.schema import QuestionData
from grader.learner.notebook import lesson_keys
from grader.learner.progress import load_progress, not_saved, record_answer

STYLE = """<style>
.asked{max-width:46em;font-family:var(--jp-ui-font-family,sans-serif);font-size:14px;\
line-height:1.5;color:var(--jp-ui-font-color1,#222)}
.asked ul{margin:.3em 0 .3em 1.2em;padding:0}
</style>"""


def shuffled(question: QuestionData, name: str, names: Iterable[str], seed: str) -> list[str]:
    """Return a question's options in an order that is steady for one learner.

    Over the questions of a lesson the right option is first, second, … equally often, so that its
    place gives nothing away.

    Args:
        question: the question.
        name: its name.
        names: of all questions of its lesson.
        seed: differs between learners.
    """
    order = sorted(names, key=lambda one: random.Random(f"{seed}/{one}").random())
    options = [option for option in question["options"] if option != question["answer"]]
    random.Random(f"{seed}/{name}").shuffle(options)
    options.insert((order.index(name) + 1) % (len(options) + 1), question["answer"])
    return options


class QuestionView:
    """A question and the learner's answer to it.

    Attributes:
        name: the question's name in the answer key; "lesson/question" for one of another lesson.
        chosen: the learner's first choice, now or in an earlier session, or None.
    """

    def __init__(
        self, name: str, questions: Mapping[str, QuestionData], label: str, folder: Path
    ) -> None:
        self.name, self._label, self._folder = name, label, folder
        short = name.rpartition("/")[2]
        self._question = question = questions[short]
        self._options = shuffled(question, short, questions, str(folder))
        self._still_options = shuffled(question, short, questions, "")
        self.chosen: str | None = None
        self._callbacks: list[Callable[[], object]] = []
        self.reload()

    @property
    def answered(self) -> bool:
        """Return whether the learner has chosen."""
        return self.chosen is not None

    def on_answer(self, callback: Callable[[], object]) -> None:
        """Call `callback` once the question is answered, which may be now."""
        self._callbacks.append(callback)
        self._notify()

    def choose(self, option: str) -> None:
        """Record an answer; the first one stays."""
        if not self.answered:
            record_answer(self._folder, self.name, option)
            self.chosen = option
            self._notify()

    def reload(self) -> None:
        """Read the saved answer again: another kernel or a fresh lesson may have changed it."""
        self.chosen = load_progress(self._folder)["answers"].get(self.name)
        self._notify()

    def reply(self) -> str:
        """Return whether the answer is right, why, and a warning if it can't be saved."""
        right = self.chosen == self._question["answer"]
        start = "✓ Yes." if right else f"✗ No: {self._question['answer']}."
        return " ".join(filter(None, (start, self._question["why"], not_saved(self._folder))))

    def show(self) -> None:
        """Display the question as buttons, and as text for readers without a kernel."""
        from IPython.display import display

        style_class, text = f"asked-{self.name.replace('/', '-')}", self._question["text"]
        plain = "\n".join([f"{self._label}: {text}", *(f"- {one}" for one in self._still_options)])
        options = "".join(f"<li>{escape(one)}</li>" for one in self._still_options)
        still = f"<p><b>{self._label}.</b> {escape(text)}</p><ul>{options}</ul>"
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
        """Return the question's buttons; its style hides the text of the same question."""
        import ipywidgets as widgets

        question = widgets.HTML(
            f'{STYLE}<style>.{style_class}{{display:none}}</style><div class="asked">'
            f"<b>{self._label}.</b> {escape(self._question['text'])}</div>"
        )
        wide = widgets.Layout(width="auto")
        buttons = widgets.RadioButtons(options=self._options, value=self.chosen, layout=wide)
        reply = widgets.HTML()

        def show_reply() -> None:
            buttons.disabled = True
            reply.value = f'<div class="asked" role="status">{escape(self.reply())}</div>'

        buttons.observe(lambda change: self.choose(change["new"]), "value")
        self.on_answer(show_reply)
        return widgets.VBox([question, buttons, reply])


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


def recall_missed(most: int = 2) -> None:
    """Ask up to `most` questions again that were answered wrong in the lessons next to this one.

    The answer is saved here under "lesson/question", so that the question comes once in a lesson
    and, if missed again, returns in the next.
    """
    folder = Path.cwd()
    keys = lesson_keys(folder.parent)
    for name in missed_elsewhere(folder)[:most]:
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
    for lesson in keys.keys() - {folder.name}:
        for name, chosen in load_progress(folder.parent / lesson)["answers"].items():
            full = name if "/" in name else f"{lesson}/{name}"
            if question := questions.get(full):
                right[full] = right.get(full, False) or chosen == question["answer"]
    return sorted(full for full in right if not right[full])


def _ask(name: str, label: str) -> QuestionView:
    folder = Path.cwd()
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
