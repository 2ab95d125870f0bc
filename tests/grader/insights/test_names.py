"""Names: of which length and script they may be, where in a text or an identifier they are found, and what is no name."""

from __future__ import annotations

import pytest

from grader.insights.names import Names

CLASS = Names(["anna99", "Li", "Bo", "In", "王芳", "李 四", "Zoé O'Brien", "Max", "Ольга", "J. Ng", "max.frisch@mail.example.org", "4711", "s1", "12"], shown=False)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("def annaRelu(z): reluAnna = ReLUAnna + relu_anna + ANNA_2 + anna2", "def …Relu(z): relu… = ReLU… + relu_… + …_2 + …2"),
        ("by Li and BO, li_relu, bo(li)", "by … and …, …_relu, …(…)"),
        ("王芳的答案 relu王芳", "…的答案 relu…"),
        ("# 李: 四, 李四", "# …: …, ……"),
        ("Zoé, Zoe\u0301, O'Brien's, brien", "…, …, O'…'s, …"),
        ("Max Frisch max.frisch@mail.example.org", "… … …"),
        ("ольгаRelu Ng", "…Relu …"),
        ("matriculation 4711, s1", "matriculation …, …"),
        ("made by In, for i in x", "made by …, for i in x"),
    ],
)
def test_a_name_is_hidden_whatever_its_length_and_script_and_in_identifiers(text: str, left: str) -> None:
    assert CLASS.hide(text) == left


@pytest.mark.parametrize(
    "text", ["np.maximum(z, 0)", "lines = [box, annotate, Boxes]", "14711 + 47110 + 0.12 + s12 + as1", "j = example.org", "mail", "木子", "LIST = iN"]
)
def test_what_only_looks_like_a_name_stays(text: str) -> None:
    assert CLASS.hide(text) == text


def test_where_names_may_be_shown_or_none_are_known_nothing_is_hidden() -> None:
    assert Names(["anna"], shown=True).hide("anna") == "anna"
    assert Names(["", "x"], shown=False).hide("x and anna") == "x and anna"


def test_a_files_name_is_hidden_too() -> None:
    assert CLASS.hide_file("anna's secret.ipynb is a link or can't be opened") == "its notebook is a link or can't be opened"
