"""Unpack what came from elsewhere, an archive or a folder, within bounds and without links.

A file is stored under a number, so no name in an archive decides where anything is written.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO
from unicodedata import normalize

from grader.errors import UserError
from grader.execution.limits import OUTSIDE
from grader.files import open_regular
from grader.instructor.copying import MACHINE_ERRORS
from grader.instructor.locate import ARCHIVES
from grader.processes import Guard, OverBudget

MAX_FILE = 50_000_000  # bytes of one file
MAX_FILES, MAX_BYTES = 50_000, 4_000_000_000  # of all archives together
MAX_INNER_FILES, MAX_INNER_BYTES = 1_000, 100_000_000  # of an archive in an archive
CHUNK = 1 << 20

DRIVE = re.compile(r"[A-Za-z]:")
HIDDEN = (".", "__MACOSX", "Thumbs.db", "desktop.ini")
"""Beginnings of names that systems add by themselves."""
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises at a damaged, encrypted or unknown archive."""

Member = tuple[str, str, Callable[[], IO[bytes]]]
"""A file's name, why it is left out (or nothing), and how to open it."""


class TooLarge(UserError):
    """An archive holds more than is read."""


@dataclass(frozen=True)
class Bounds:
    """Most files and bytes of an archive, and of one file.

    `whole` keeps hidden files too, and all names as they are.
    """

    files: int
    bytes: int
    file_bytes: int
    whole: bool = False


@dataclass
class Unpacked:
    """The stored files by their names inside, and the reasons why others were left out."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    size: int = 0


def unpack(source: Path, folder: Path) -> Unpacked:
    """Store the files of an archive or a folder in `folder`; also those of archives inside.

    Raises:
        UserError: it can't be read, or holds too much.
        OSError: the files can't be stored.
    """
    found = Unpacked(folder)
    try:
        store(source, source.name, "", found, Bounds(MAX_FILES, MAX_BYTES, MAX_FILE))
    except DAMAGED as error:
        raise UserError(f"{source} can't be unpacked: {error}.") from None
    with closing(Guard(_inner, OUTSIDE.memory_bytes)) as guard:
        for name, path in [*found.files.items()]:
            if not name.lower().endswith(ARCHIVES):
                continue
            most = min(MAX_INNER_BYTES, MAX_BYTES - found.size)
            bounds = Bounds(MAX_INNER_FILES, most, MAX_FILE)
            try:
                inner = guard.call(OUTSIDE.seconds, path, name, bounds)
            except (TooLarge, OverBudget, *DAMAGED) as error:
                told = isinstance(error, (TooLarge, OverBudget))
                found.left_out[name] = f"{error}" if told else "it is damaged, or encrypted"
                # what was stored of it is not counted
                shutil.rmtree(_place_of(path), ignore_errors=True)
            else:
                if inner:
                    del found.files[name]
                    found.files |= inner.files
                    found.left_out |= inner.left_out
                    found.size += inner.size
    return found


def _inner(path: Path, name: str, bounds: Bounds) -> Unpacked | None:
    """Store the files of an archive in an archive next to it; return None if it is no archive."""
    if _opener(path) is None:
        return None
    inner = Unpacked(_place_of(path))
    store(path, name, f"{name}/", inner, bounds)
    return inner


def _place_of(path: Path) -> Path:
    return path.with_name(f"in-{path.name}")


def store(source: Path, name: str, prefix: str, found: Unpacked, bounds: Bounds) -> None:
    """Store the files of one archive; its files count whether they are kept or not.

    Raises:
        UserError: it is no archive, or holds too much.
        OSError: the files can't be stored.
        Exception: one of `DAMAGED`.
    """
    found.folder.mkdir(parents=True)
    with closing(_members(source)) as members:
        for number, (raw, why, opened) in enumerate(members):
            if number >= bounds.files:
                raise TooLarge(f"{name} holds more than {bounds.files:,} files.")
            text = raw if bounds.whole else normalize("NFC", raw.replace("\\", "/"))
            parts = text.split("/")
            inside = prefix + "/".join(part for part in parts if part not in ("", "."))
            hidden = any(part.startswith(HIDDEN) for part in parts if part.strip("."))
            if hidden and not bounds.whole:
                continue
            if not parts[0] or DRIVE.match(parts[0]) or ".." in parts:
                why = "its path leads out of the archive"
            elif inside in found.files:
                why = "another file has the same name"
            target = found.folder / f"{number}"
            if why := why or _store(opened, target, found, bounds, name):
                found.left_out[inside] = why
            else:
                found.files[inside] = target


def _store(
    opened: Callable[[], IO[bytes]], target: Path, found: Unpacked, bounds: Bounds, name: str
) -> str:
    """Store one file, counting its bytes as they are read; return why it was left out."""
    size = 0
    with open(target, "xb") as copy:
        try:
            with opened() as file:
                while chunk := file.read(CHUNK):
                    size += len(chunk)
                    found.size += len(chunk)
                    if found.size > bounds.bytes:
                        raise TooLarge(f"{name} holds more than {bounds.bytes / 1e6:,.0f} MB.")
                    if size > bounds.file_bytes:
                        break
                    copy.write(chunk)
        except DAMAGED:
            return "it is damaged, or encrypted"
        except OSError as error:
            if error.errno in MACHINE_ERRORS:
                raise
            return f"it can't be read: {error.strerror or error}"
    large = size > bounds.file_bytes
    return f"it is larger than {bounds.file_bytes / 1e6:.0f} MB" if large else ""


def _members(source: Path) -> Generator[Member, None, None]:
    """Yield the files of a folder or an archive.

    Raises:
        UserError: it is neither.
    """
    if source.is_dir():
        return _of_folder(source)
    if not source.exists():
        raise UserError(f"There is no {source}.")
    opener = _opener(source)
    if opener is None:
        raise UserError(
            f"{source} is no folder, zip or tar archive. Unpack it, and name its folder."
        )
    return opener(source)


def _opener(source: Path) -> Callable[[Path], Generator[Member, None, None]] | None:
    """Return what reads an archive; None for other files."""
    if zipfile.is_zipfile(source):
        return _of_zip
    return _of_tar if tarfile.is_tarfile(source) else None


def _of_folder(folder: Path) -> Generator[Member, None, None]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names + [one for one in folders if os.path.islink(f"{here}/{one}")]):
            path = Path(here, name)
            mode = path.lstat().st_mode
            why = _wrong_kind(stat.S_ISLNK(mode), stat.S_ISREG(mode))
            yield str(path.relative_to(folder)), why, partial(open_regular, path)


def _of_zip(source: Path) -> Generator[Member, None, None]:
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            if not info.is_dir():
                why = _wrong_kind(stat.S_ISLNK(mode), stat.S_IFMT(mode) in (0, stat.S_IFREG))
                yield _name_in_zip(info), why, partial(archive.open, info)


def _of_tar(source: Path) -> Generator[Member, None, None]:
    declared = 0
    with tarfile.open(source) as archive:
        for info in archive:
            declared += info.size  # the next file lies behind these bytes, however small they are
            if declared > MAX_BYTES:
                raise TooLarge(f"{source.name} holds more than {MAX_BYTES / 1e6:,.0f} MB.")
            if not info.isdir():
                why = _wrong_kind(info.issym() or info.islnk(), info.isreg())
                yield info.name, why, partial(_of_tar_file, archive, info)


def _of_tar_file(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    if file := archive.extractfile(info):
        return file
    raise tarfile.TarError(info.name)


def _name_in_zip(info: zipfile.ZipInfo) -> str:
    """Return a file's name; a Mac writes UTF-8 without a mark, and zipfile reads another code."""
    if not info.flag_bits & 0x800:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except ValueError:
            pass
    return info.filename


def _wrong_kind(link: bool, regular: bool) -> str:
    return "it is a link" if link else "" if regular else "it is no ordinary file"
