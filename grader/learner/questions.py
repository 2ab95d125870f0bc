"""Ask a question of the lesson and remember the learner's choice."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import KEY_FILE, KeyMissing, load_key
from grader.comparison.schema import AnswerKey, QuestionData
from grader.learner.progress import load_progress, not_kept, record_answer

STYLE = """<style>
.asked{max-width:46em;font-family:var(--jp-ui-font-family,sans-serif);font-size:14px;line-height:1.5;color:var(--jp-ui-font-color1,#222)}
.asked ul{margin:.3em 0 .3em 1.2em;padding:0}
</style>"""


class QuestionView:
    """A question on its way to an answer.

    Attributes:
        name: the question's name in the answer key.
        answered: whether the learner has chosen, now or in an earlier session.
    """

    def __init__(self, name: str, question: QuestionData, label: str, folder: Path) -> None:
        self.name, self._question, self._label, self._folder = name, question, label, folder
        self.chosen: str | None = load_progress(folder)["answers"].get(name)
        self._waiting: list[Callable[[], object]] = []

    @property
    def answered(self) -> bool:
        """Whether the learner has chosen."""
        return self.chosen is not None

    def on_answer(self, callback: Callable[[], object]) -> None:
        """Call back once the question is answered; at once where it already is."""
        self._waiting.append(callback)
        if self.answered:
            self._tell()

    def choose(self, option: str) -> None:
        """Record an answer; the first one stays."""
        if self.answered:
            return
        record_answer(self._folder, self.name, option)
        self.chosen = option
        self._tell()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def look_again(self) -> None:
        """Take what is kept by now: another kernel may have answered, or the lesson been begun anew."""
        self.chosen = load_progress(self._folder)["answers"].get(self.name)
        if self.answered:
            self._tell()

    def reply(self) -> str:
        """What the learner reads after choosing, and that it can't be kept where it can't."""
        right = self.chosen == self._question["answer"]
        start = "✓ Yes." if right else f"✗ No: {self._question['answer']}."
        return " ".join(filter(None, (start, self._question["why"], not_kept(self._folder))))

    def show(self) -> None:
        """Show the question: as text for readers without a kernel, as buttons in a living notebook."""
        from IPython.display import display

        still = f"asked-{self.name.replace('/', '-')}"
        display(
            {
                "text/plain": self._text(),
                "text/html": f'{STYLE}<div class="asked {still}">{self._still()}</div>',
            },
            raw=True,
        )
        display({"text/plain": "", **_widget_view(self._widget(still))}, raw=True)

    def _text(self) -> str:
        options = "\n".join(f"- {option}" for option in self._question["options"])
        return f"{self._label}: {self._question['text']}\n{options}"

    def _still(self) -> str:
        options = "".join(f"<li>{escape(option)}</li>" for option in self._question["options"])
        return f"<p><b>{self._label}.</b> {escape(self._question['text'])}</p><ul>{options}</ul>"

    def _widget(self, still: str) -> Any:
        import ipywidgets as widgets

        question = widgets.HTML(
            f'{STYLE}<style>.{still}{{display:none}}</style><div class="asked"><b>{self._label}.</b> {escape(self._question["text"])}</div>'
        )
        buttons = widgets.RadioButtons(
            options=self._question["options"],
            value=self.chosen,
            disabled=self.answered,
            layout=widgets.Layout(width="auto"),
        )
        reply = widgets.HTML()

        def settle() -> None:
            buttons.disabled = True
            reply.value = f'<div class="asked" role="status">{escape(self.reply())}</div>'

        def choose(change: dict[str, Any]) -> None:
            if change["new"] is not None:
                self.choose(change["new"])

        buttons.observe(choose, "value")
        self.on_answer(settle)
        return widgets.VBox([question, buttons, reply])


_asked: dict[tuple[Path, str], QuestionView] = {}
"""What was asked since the kernel started: a play waits for the answer also where its question's cell has been run again since."""


def predict(name: str) -> QuestionView:
    """Ask for a prediction before a play; give what this returns to the play as ``after=``, which unlocks on the answer.

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
    """Ask again what was answered wrongly in other lessons, at most so many questions; a right answer settles one.

    The lessons are the folders beside this one. A question asked again is remembered under "lesson/question" here, so that it
    is asked once in a lesson and, missed again, comes back in the next.
    """
    folder = Path.cwd()
    missed = missed_elsewhere(folder)
    for name, question in list(missed.items())[:most]:
        QuestionView(name, question, "Once more", folder).show()


def missed_elsewhere(folder: Path) -> dict[str, QuestionData]:
    """Questions that the lessons beside `folder` asked, once or again, and that were never answered right there: {"lesson/question": question}."""
    keys = {
        path.parent.name: key["questions"]
        for path in sorted(folder.parent.glob(f"*/{KEY_FILE}"))
        if (key := _readable(path.parent))
    }
    right: dict[str, bool] = {}
    for lesson in keys.keys() - {folder.name}:
        for name, chosen in load_progress(folder.parent / lesson)["answers"].items():
            full = name if "/" in name else f"{lesson}/{name}"
            if question := _question(keys, full):
                right[full] = right.get(full, False) or chosen == question["answer"]
    return {
        full: keys[full.partition("/")[0]][full.partition("/")[2]]
        for full in sorted(right)
        if not right[full]
    }


def _question(keys: dict[str, dict[str, QuestionData]], full: str) -> QuestionData | None:
    lesson, _, name = full.partition("/")
    return keys.get(lesson, {}).get(name)


def _readable(folder: Path) -> AnswerKey | None:
    try:
        return load_key(folder)
    except KeyMissing:
        return None


def _ask(name: str, label: str) -> QuestionView:
    folder = Path.cwd()
    questions = load_key(folder)["questions"]
    if name not in questions:
        raise KeyError(
            f"no question of this lesson is called {name!r}; it has {', '.join(questions)}"
        )
    if (asked := _asked.get((folder, name))) is None:
        asked = _asked[folder, name] = QuestionView(name, questions[name], label, folder)
    else:
        asked.look_again()
    asked.show()
    return asked


def _widget_view(widget: Any) -> dict[str, Any]:
    bundle: dict[str, Any] = widget._repr_mimebundle_() or {}
    return {kind: data for kind, data in bundle.items() if kind != "text/plain"}


__all__ = ["KeyMissing", "QuestionView", "predict", "recall", "recall_missed"]
