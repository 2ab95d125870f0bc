"""`grader insights --skeleton`: a group becomes a misconception to finish, nothing else in the file changes, and what isn't safe is refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from classroom import Course

from course import ROOT, lesson, written
from grader.author.lesson import Lesson, load_lesson
from grader.author.verify import verify
from grader.cli import main
from grader.insights.gather import gather
from grader.insights.groups import groups_of
from grader.insights.skeleton import add_skeleton
from grader.insights.standalone import NotStandalone, standalone

MODULE = b"import math\n\nimport numpy as np\n\nfrom grader import Exercise, case\n\nf = Exercise(points=1)\ng = Exercise(points=1)\n"
SETUP = "import numpy as np\nfrom grader import check"

TWICE = "def twice(b):\n    return b * 2\n\ndef weighted_sum(x, w, b):\n    '''Mine.'''\n    print('me')\n    return float(np.sum(x * w) + twice(b))  # mine\n"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = Course(tmp_path_factory.mktemp("course"))
    for student in ("ann", "ben"):
        course.hand_in(student, written("neuron", weighted_sum=TWICE))
    course.hand_in("thief", written("neuron", relu="import os\n\ndef relu(z):\n    os.getcwd()\n    return z - 1\n"))
    course.autograde()
    return course


def group_names(course: Course) -> dict[str, str]:
    return {group.exercise: group.name for group in groups_of(gather(course.root, lesson("neuron")))}


def exercises(course: Course) -> Path:
    return course.root / "solutions" / "neuron" / "exercises.py"


def test_a_group_becomes_a_misconception_whose_hint_verify_asks_for(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    before = exercises(course).read_text(encoding="utf-8")
    name = group_names(course)["weighted_sum"]
    assert main(["insights", "neuron", "--skeleton", name]) == 0
    said = capsys.readouterr().out
    after = exercises(course).read_text(encoding="utf-8")
    todo = f"todo_{name.rpartition('-')[2]}"
    added = (
        '@weighted_sum.misconception("TODO: what did these 2 learners misunderstand? One sentence about the idea, without the solution.")\n'
        f"def {todo}(x, w, b):\n\n    def twice(b):\n        return b * 2\n    return float(np.sum(x * w) + twice(b))\n"
    )
    last = before.index("sigmoid = Exercise")
    assert after == before[:last] + added + "\n\n" + before[last:]
    line = after[: after.index(added)].count("\n") + 1
    assert f"Added to solutions/neuron/exercises.py, line {line}, from 2 answers" in said
    assert "read it first" in said
    assert "grader verify neuron" in said
    changed = load_lesson(course.root / "solutions" / "neuron")
    assert verify(changed, range(2), ["weighted_sum"]) == [f"solutions/neuron/exercises.py: the hint of {todo} is still to be written"]
    exercises(course).write_text(after.replace("TODO: what did", "What did"), encoding="utf-8")
    assert verify(load_lesson(course.root / "solutions" / "neuron"), range(2), ["weighted_sum"]) == []
    course.autograde(regrade=True)
    verdicts = {work.student: work.result["exercises"]["weighted_sum"] for work in gather(course.root, lesson("neuron")).works}
    assert verdicts["ann"]["hint"].startswith("What did these 2 learners")
    rules = ["--config", str(ROOT / "pyproject.toml"), "--ignore", "I001"]  # which modules are the project's own depends on the folder
    assert subprocess.run([sys.executable, "-m", "ruff", "check", *rules, str(exercises(course))], check=False).returncode == 0


def test_the_same_group_twice_and_an_unsafe_one_are_refused_and_nothing_changes(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    names = group_names(course)
    assert main(["insights", "neuron", "--skeleton", names["weighted_sum"]]) == 0
    before = exercises(course).read_bytes()
    for exercise, sentence in {"weighted_sum": "is there already; write its hint", "relu": "its code imports os; outside the sandbox it may import numpy"}.items():
        capsys.readouterr()
        assert main(["insights", "neuron", "--skeleton", names[exercise]]) == 1
        said = capsys.readouterr().err
        assert sentence in said
        assert len(said.splitlines()) == 1
    assert exercises(course).read_bytes() == before


@pytest.mark.parametrize("change", ["windows", "no last line end", "no misconceptions", "odd spaces"])
def test_whatever_the_file_looks_like_the_rest_of_it_stays(course: Course, change: str) -> None:
    path = exercises(course)
    data = path.read_bytes()
    if change == "windows":
        data = data.replace(b"\n", b"\r\n")
    elif change == "odd spaces":
        data = data.replace(b"sigmoid = Exercise(points=3)", "# a form feed \x0c, a line separator \u2028 and ü\nsigmoid  =  Exercise( points = 3 )".encode())
    else:
        data = data[: data.index(b"sigmoid = Exercise")].rstrip() if change == "no last line end" else data
    if change == "no misconceptions":
        start = data.index(b"@weighted_sum.cases")
        data = data[:start] + data[data.index(b"sigmoid = Exercise") :]
    name = group_names(course)["weighted_sum"]
    path.write_bytes(data)
    path.chmod(0o640)
    group = next(group for group in groups_of(gather(course.root, lesson("neuron"))) if group.name == name)
    added = add_skeleton(lesson_at(course), group)
    after = path.read_bytes()
    end = b"\r\n" if change == "windows" else b"\n"
    code = added.code.encode().replace(b"\n", end)
    assert after.replace(end * 2 + code + end, b"", 1).rstrip() == data.rstrip()
    assert after.decode().split("\n")[added.line - 1].startswith("@weighted_sum.misconception")
    assert path.stat().st_mode & 0o777 == 0o640
    compile(after, "exercises.py", "exec")


def lesson_at(course: Course) -> Lesson:
    return replace(lesson("neuron"), folder=course.root / "solutions" / "neuron")


def made(*cells: str) -> str:
    return standalone([SETUP, *cells], cells[-1], "f", "wrong", MODULE)


def result(text: str, *inputs: object) -> object:
    space: dict[str, object] = {"np": np}
    exec(text, space)
    function = space["wrong"]
    assert callable(function)
    return function(*inputs)


@pytest.mark.parametrize(
    ("cells", "inputs", "expected"),
    [
        (["def f(x):\n    return x + 1"], (1,), 2),
        (["def f(n):\n    return 1 if n < 1 else n * f(n - 1)"], (4,), 24),
        (["def f(x: np.ndarray, y: float = 2) -> float:\n    z: float = x\n    return z * y"], (3,), 6),
        (["RATE = 3", "def g(x):\n    return RATE * x", "def f(x):\n    return g(x) + RATE"], (2,), 9),
        (["def f(x):\n    f = x + 1\n    return f"], (1,), 2),
        (["def f(f):\n    return f + 1"], (1,), 2),
        (["from math import sqrt", "def f(x):\n    return sqrt(x)"], (9,), 3),
        (["import numpy\ndef f(x):\n    return numpy.sum(x)"], ([1, 2],), 3),
        (["even = lambda n: n == 0 or odd(n - 1)\nodd = lambda n: n != 0 and even(n - 1)\ndef f(n):\n    return even(n)"], (4,), True),
        (["%matplotlib inline\ndef f(x):\n    '''Only this.'''\n    return x"], (1,), 1),
        (["class Box:\n    def get(self):\n        return 5\n\ndef f(x):\n    return Box().get() + x"], (1,), 6),
    ],
)
def test_what_a_function_needs_of_its_notebook_comes_with_it(cells: list[str], inputs: tuple[object, ...], expected: object) -> None:
    assert result(made(*cells), *inputs) == expected


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("f = np.vectorize(max)", "does not define f by a def of its own"),
        ("def f(x)\n    return x", "does not define f by a def of its own"),
        ("def f(x):\n    return g(x)", "needs g, which is none of its own"),
        ("def f(x, y=RATE):\n    return x\nRATE = 2", "needs RATE"),
        ("def f(x):\n    global n\n    n = x\n    return n", "keeps something in a variable outside"),
        ("def f(x):\n    return check(x)", "imports grader"),
        ("import subprocess\ndef f(x):\n    return subprocess.run(x)", "imports subprocess"),
        ("def f(x):\n    import os.path\n    return x", "imports os.path"),
        ("def f(x):\n    return open('exercises.py').read()", "uses open"),
        ("def f(x):\n    return eval('x')", "uses eval"),
        ("def f(x):\n    return np.load('x')", "uses load"),
        ("from numpy import load as a\ndef f(x):\n    return a(x)", "uses load"),
        ("def f(x):\n    return ().__class__.__base__", "uses __"),
        ("def f(x):\n    return '{0.__class__}'.format(x)", "holds a text with __"),
        ("def f(x):\n    return __import__('os')", "uses __import__"),
        ("def f(x):\n    return (i for i in x).gi_frame.f_back", "uses "),
        ("def f(x):\n    return x.tofile('/etc/passwd')", "uses tofile"),
    ],
)
def test_what_cannot_stand_alone_or_reaches_beyond_arithmetic_is_refused(cell: str, why: str) -> None:
    with pytest.raises(NotStandalone) as refused:
        made(cell)
    assert str(refused.value).startswith(why)
