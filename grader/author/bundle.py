"""Write the learners' archive: the course without the author's answers."""

from __future__ import annotations

import argparse
import ast
import base64
import io
import re
import subprocess
import tomllib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.author.lesson import BEGIN, Lesson, LessonError, authors_root, lessons_in, load_lesson
from grader.comparison.present import one_line
from grader.files import atomic_write
from grader.settings import Settings, load_settings

MODULES = (
    "__init__.py",
    "cli.py",
    "errors.py",
    "files.py",
    "settings.py",
    "startup.py",
    "syntax.py",
)
PACKAGES = ("comparison", "diagnosis", "execution", "kernelconfig", "learner")
CONTENTS = (
    *("LICENSE", "LICENSE-lessons", "environment.sh", "requirements-uv.lock"),
    *(".binder", ".devcontainer"),
    *(f"grader/{part}" for part in (*MODULES, *PACKAGES)),
)
"""Files and folders that go into the archive, with the lessons and their packages."""

LEARNERS_FILES = "bundle"
"""Folder of the files that a learner gets in place of an author's, like pyproject.toml."""

ALWAYS = (2026, 1, 1, 0, 0, 0)
"""Date of every file in the archive, so that the same course makes the same archive."""

PACKED = '''"""Finished functions, targets in figures; packed, so nobody reads them by chance."""

import base64
import zlib

exec(compile(zlib.decompress(base64.b64decode("{}")), __name__, "exec"))
'''

SIMPLE_STATEMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise)
SHORTEST = 10
"""Characters of a statement that gives an answer away; shorter ones appear anywhere."""


def files_of_bundle(root: Path) -> dict[str, bytes]:
    """Return the content of each file that a learner gets, by path; finished functions are packed.

    Raises:
        LessonError: an answer is in one of them, or a part of the course is missing.
    """
    settings = load_settings(root)
    lessons = [load_lesson(folder) for folder in lessons_in(root)]
    parts = [*CONTENTS, *settings.packages]
    paths = [
        *_course(settings, lessons),
        *(path for part in parts for path in files_below(root, part)),
    ]
    files = {path: (root / path).read_bytes() for path in paths}
    for path in files_below(root, LEARNERS_FILES):
        files[path.removeprefix(f"{LEARNERS_FILES}/")] = (root / path).read_bytes()
    if found := leaks(lessons, files):
        message = f"The bundle is not made, an answer would be in it: {found[0]}."
        raise LessonError(f"{message} Run make course, or remove that statement.")
    exercises = {name for lesson in lessons for name in lesson.exercises}
    for path in (f"{module.replace('.', '/')}.py" for module in settings.hidden):
        if path in files and exercises & _functions_in(files[path]):
            files[path] = packed(files[path])
    return dict(sorted(files.items()))


def packed(module: bytes) -> bytes:
    """Return a module that runs the same program, which nobody reads by chance."""
    data = base64.b64encode(zlib.compress(module, 9)).decode()
    return PACKED.format(data).encode()


def _functions_in(module: bytes) -> set[str]:
    return {node.name for node in ast.parse(module).body if isinstance(node, ast.FunctionDef)}


def untracked(root: Path, part: str) -> set[str]:
    """Return the files of a part that git does not track; none where there is no repository."""
    words = ["git", "-C", str(root), "ls-files", "-z", "--others", "--", part]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return set()
    return {path for path in done.stdout.split("\0") if path}


def left_out(root: Path, parts: Sequence[str]) -> list[str]:
    """Return a line about each file of some parts that an archive lacks, as git has none of it."""
    found = {path for part in parts for path in untracked(root, part)}
    why = "Left out, because git does not track it"
    return [f"{one_line(f'{why}: {path}')}\n" for path in sorted(filter(_is_material, found))]


def leaks(lessons: Sequence[Lesson], files: Mapping[str, bytes]) -> list[str]:
    """Return statements of an author's functions that are in files: path, statement, function.

    Statements that a lesson shows to everybody don't count. Modules share statements, like
    `return np.maximum(z, 0)`, so in a module only a whole function counts.
    """
    cells = [cell.source for lesson in lessons for cell in lesson.notebook.cells]
    shown = _squeezed("\n".join(source for source in cells if BEGIN not in source))
    secrets = []
    for lesson in lessons:
        sources = [cell.source for cell in lesson.notebook.cells if BEGIN in cell.source]
        sources.append((lesson.folder / "exercises.py").read_text(encoding="utf-8"))
        for function in ast.parse("\n".join(sources)).body:
            if isinstance(function, ast.FunctionDef):
                parts = [one for one in ast.walk(function) if isinstance(one, SIMPLE_STATEMENTS)]
                statements = {_squeezed(text): text for text in map(ast.unparse, parts)}
                secrets.append((f"{function.name} of {lesson.name}", statements))
    found = []
    for path, data in files.items():
        text = _squeezed(data.decode(errors="replace"))
        for name, statements in secrets:
            there = [one for one in statements if one in text]
            telling = [one for one in there if len(one) >= SHORTEST and one not in shown]
            if telling and (not path.endswith(".py") or len(there) == len(statements)):
                found.append(f"{path}: {statements[telling[0]]} ({name})")
    return found


def _squeezed(text: str) -> str:
    """Return code without spaces, line ends, quotes, commas and parentheses, also inside JSON."""
    return re.sub(r"\\n|[\s\\\"'(),]", "", text)


def write_archive(files: Mapping[str, bytes], into: Path, folder: str) -> None:
    """Write files as a zip archive, in `folder` or in none; the same files give the same archive.

    A script, which begins with `#!`, can be run.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{path}".lstrip("/"), ALWAYS)
            entry.create_system = 3  # Unix, whose modes the next line gives
            entry.external_attr = (0o100755 if content.startswith(b"#!") else 0o100644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    into.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(into, data.getvalue())


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bundle`."""
    parser = subparsers.add_parser(
        "bundle", help="make the learners' archive: the course without the author's answers"
    )
    parser.add_argument("--output", type=Path, help="default: dist/NAME-VERSION.zip")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    settings = load_settings(root)
    kept = tuple(f"{folder}/" for folder in settings.kept.values())  # only a site needs them
    files = {
        path: data for path, data in files_of_bundle(root).items() if not path.startswith(kept)
    }
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    place = arguments.output or root / "dist" / f"{project['name']}-{project['version']}.zip"
    write_archive(files, place, project["name"])
    print(f"{place}: {len(files)} files, none with an answer.")
    parts = (*CONTENTS, *settings.packages, settings.release, LEARNERS_FILES)
    print(end="".join(left_out(root, parts)))
    return 0


def _course(settings: Settings, lessons: Sequence[Lesson]) -> list[str]:
    """Return the paths of the learners' lessons.

    Raises:
        LessonError: a lesson is missing, or an author's file is among them.
    """
    root, release = settings.root, settings.release
    for lesson in lessons:
        if not (lesson.release / f"{lesson.name}.ipynb").is_file():
            raise LessonError(f"{release}/{lesson.name} is missing; run make course")
    paths = [path for path in files_below(root, release) if not path.endswith("/progress.json")]
    if stray := [path for path in paths if path.endswith((".py", ".md"))]:
        raise LessonError(f"{stray[0]} is an author's file; take it out of {release}/")
    return paths


def files_below(root: Path, part: str) -> list[str]:
    """Return the paths of a folder's files without caches and checkpoints; or of a file."""
    if not (root / part).exists():
        raise LessonError(f"{part} is missing; a bundle needs it")
    paths = [root / part, *(root / part).rglob("*")]
    names = {path.relative_to(root).as_posix() for path in paths if path.is_file()}
    return sorted(filter(_is_material, names - untracked(root, part)))


def _is_material(path: str) -> bool:
    """Return whether a file isn't a cache or a checkpoint of Python's or Jupyter's."""
    return "/." not in path and "/__pycache__" not in path
