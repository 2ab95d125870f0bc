"""Lock folders, write files atomically, and read files that others may replace or damage."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, BinaryIO, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

try:
    import fcntl
except ImportError:  # on Windows, concurrent writers may lose a part of each other's work
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def folder_lock(folder: Path, timeout: float) -> Iterator[None]:
    """Hold a folder's lock; after `timeout` seconds, or without lock support, continue without."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            held.callback(os.close, descriptor)
            end = time.monotonic() + timeout
            while not locked(descriptor) and time.monotonic() < end:
                time.sleep(0.005)
        yield


def locked(file: int | BinaryIO) -> bool:
    """Lock an open file or folder for this process; return whether nobody else has it."""
    if not hasattr(fcntl, "flock"):  # on Windows there is no fcntl, in a browser an empty one
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def atomic_write(path: Path, data: bytes | str, mode: int | None = None) -> None:
    """Write a file, with the rights `mode` if given, by renaming a temporary one.

    Raises:
        OSError: the file can't be written; it is unchanged, and the temporary file is removed.
    """
    partial = path.parent / f".{path.name}.{os.getpid()}"
    try:
        partial.write_bytes(data.encode(errors="replace") if isinstance(data, str) else data)
        if mode is not None:
            partial.chmod(mode)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def open_regular(path: str | Path, folder: int | None = None) -> BinaryIO:
    """Open a file that its owner may replace at any moment, without following links or waiting.

    Where `folder` is given, the descriptor of an open folder, `path` lies below it.

    Raises:
        OSError: it is a link or can't be opened.
    """
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb")


def read_regular(path: Path, most: int) -> bytes:
    """Read the beginning of an ordinary file; OSError where it is something else."""
    with open_regular(path) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not an ordinary file")
        return file.read(most)


def parsed(text: bytes | str, form: Any) -> Any:
    """Return JSON data of a form: a TypedDict, or made of list, dict, union, scalars and Any.

    Raises:
        ValueError: it isn't JSON, or has another form.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not has_form(data, form):
        raise ValueError("not of the form that the course writes")
    return data


def has_form(data: object, form: Any) -> bool:
    """Return whether plain data has a form, see `parsed`."""
    if form is Any or form is None:
        return form is Any or data is None
    if is_typeddict(form):
        return isinstance(data, dict) and all(
            has_form(data[name], kind) if name in data else not required
            for name, kind, required in _fields(form)
        )
    kind, parts = get_origin(form), get_args(form)
    if kind is UnionType:
        return any(has_form(data, part) for part in parts)
    if kind is list:
        return isinstance(data, list) and all(has_form(one, parts[0]) for one in data)
    if kind is dict:
        return isinstance(data, dict) and all(has_form(one, parts[1]) for one in data.values())
    if kind is tuple:
        return (
            isinstance(data, list) and len(data) == len(parts) and all(map(has_form, data, parts))
        )
    return type(data) in ((int, float) if form is float else (form,))


@cache
def _fields(form: Any) -> list[tuple[str, Any, bool]]:
    """Return the fields of a TypedDict: name, form, and whether it is required."""
    return [
        (name, get_args(kind)[0], False)
        if get_origin(kind) is NotRequired
        else (name, kind, form.__total__)
        for name, kind in get_type_hints(form, include_extras=True).items()
    ]
