"""Tell from the names in a download of Moodle or Canvas, or in a folder, whose files they are.

Moodle   NAME_PARTICIPANT_assignsubmission_file_/PATH, without the last _ from 4.1 on; flat:
         NAME_PARTICIPANT_assignsubmission_file_FILE; a group instead of a student; the word
         Participant instead of a name where marking is blind (mod/assign/classes/downloader.php)
Canvas   NAME[_LATE]_USER_ATTACHMENT_FILE, or [LATE_]anon_ID_ATTACHMENT_FILE, flat; text instead of
         a file: NAME_USER_text.html (lib/content_zipper.rb)
folder   NAME/PATH, or a notebook named after the student
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from unicodedata import category, normalize

from grader.instructor.locate import ARCHIVES

MOODLE = re.compile(
    r"(?P<name>.*?)(?:_(?P<id>\d+))?_assignsubmission_(?P<kind>[a-z]+)_?(?P<file>.*)", re.DOTALL
)
CANVAS = re.compile(
    r"(?:(?P<name>(?!LATE_|anon_).+?)_)?(?:(?P<late>LATE)_)?(?P<id>\d+|anon_[^_]+)_"
    r"(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<text>text|link)\.html)",
    re.DOTALL,
)
AGAIN = re.compile(r"-\d+$")
"""The ending that Canvas gives to a second upload of the same name."""
ENDING = re.compile(r"\.ipynb.*|(\.tar)?\.[^.]*$", re.IGNORECASE)
"""What follows a student's name in a file's: a name has dots too."""


@dataclass
class Upload:
    """The files of one student in a download: the name of each in it, by the student's own name.

    `name` and `id` are the system's; the id is empty for a folder. `late` is what Canvas says,
    `text` that a text came in place of files, `loose` that only a file's name says whose it is.
    """

    system: str
    name: str
    id: str = ""
    late: bool = False
    text: bool = False
    loose: bool = False
    files: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The text that means this upload in an option."""
        return self.id or self.name

    @property
    def shown(self) -> str:
        """The text that means this upload in a message."""
        return f"{self.name} ({self.id})" if self.id and self.name else self.label


def uploads_in(names: list[str], lessons: Collection[str]) -> tuple[list[Upload], list[str]]:
    """Return the uploads in a download, and the names that belong to nobody.

    `lessons` are names that no student has: NAME/neuron/neuron.ipynb is a file of NAME's.
    """
    if names and all(map(canvas_name, names)):
        return _of_canvas(names), []
    if _is_moodles(names):
        return _of_moodle(names)
    return _of_folder(names, lessons), []


def _is_moodles(names: list[str]) -> bool:
    """Return whether a download is Moodle's: one student's file may have come from there too.

    Its names are the outermost, below one folder or in several downloads side by side.
    """
    tops = {name.partition("/")[0] for name in names}
    if any(map(MOODLE.fullmatch, tops)):
        return True
    if len(tops) == 1:
        inside = [*filter(None, (name.partition("/")[2] for name in names))]
        return bool(inside) and _is_moodles(inside)
    parts = (name.split("/") for name in names)
    return bool(tops) and tops == {one[0] for one in parts if any(map(MOODLE.fullmatch, one))}


def _of_moodle(names: list[str]) -> tuple[list[Upload], list[str]]:
    found: dict[tuple[str, str], Upload] = {}
    nobodys = []
    for name in names:
        parts = name.split("/")
        matches = [(number, MOODLE.fullmatch(part)) for number, part in enumerate(parts)]
        number, match = next(((one, found) for one, found in matches if found), (0, None))
        if match is None:
            nobodys.append(name)
            continue
        who = " ".join(match["name"].split()), match["id"] or ""
        upload = found.setdefault(who, Upload("Moodle", *who))
        upload.text |= match["kind"] != "file"
        upload.files["/".join(filter(None, [match["file"], *parts[number + 1 :]]))] = name
    return [*found.values()], nobodys


def canvas_name(name: str) -> tuple[re.Match[str], str] | None:
    """Return Canvas's name in a path, and the path below it in a submitted archive.

    The outermost counts: a student chooses the names in an archive, and may choose another's.
    """
    parts = name.split("/")
    for number, part in enumerate(parts, 1):
        match = CANVAS.fullmatch(part)
        if match and (number == len(parts) or part.lower().endswith(ARCHIVES)):
            return match, "/".join(parts[number:])
        if MOODLE.fullmatch(part):
            return None
    return None


def _of_canvas(names: list[str]) -> list[Upload]:
    """Of neuron.ipynb and neuron-1.ipynb by one student, the later upload gets the name."""
    found: dict[str, Upload] = {}
    attempts: dict[tuple[str, str], list[tuple[int, str, str]]] = defaultdict(list)
    for name in names:
        named = canvas_name(name)
        assert named, "uploads_in looked"
        match, inside = named
        upload = found.setdefault(match["id"], Upload("Canvas", match["name"] or "", match["id"]))
        upload.late |= bool(match["late"])
        upload.text |= bool(match["text"])
        own = PurePosixPath(match["file"] or f"{match['text']}.html")
        same = str(PurePosixPath(AGAIN.sub("", own.stem) + own.suffix, inside))
        attempt = int(match["attachment"] or 0), str(own / inside), name
        attempts[match["id"], same].append(attempt)
    for (id, same), tries in attempts.items():
        if same not in (own for _, own, _ in tries):
            found[id].files |= {own: name for _, own, name in tries}
            continue
        *earlier, (_, _, last) = sorted(tries)
        found[id].files |= {f"earlier/{number}-{own}": name for number, own, name in earlier}
        found[id].files[same] = last
    return [*found.values()]


def _of_folder(names: list[str], lessons: Collection[str], above: str = "") -> list[Upload]:
    """Each folder is a student's, below a folder that holds them all; so may a file's name be."""
    tops = {name.partition("/")[0] for name in names}
    inside = [name.partition("/")[2] for name in names]
    below = {name.partition("/")[0] for name in inside if "/" in name}
    if len(tops) == 1 and all("/" in name for name in inside) and not below & {*lessons}:
        return _of_folder(inside, lessons, f"{above}{tops.pop()}/")
    found: dict[tuple[str, bool], Upload] = {}
    for name in names:
        top, _, rest = name.partition("/")
        ends = not rest or top.lower().endswith(ARCHIVES)
        who = ENDING.sub("", top, count=1) if ends else top
        # by `top`: the files of anne/ and of anne.zip may have the same names
        key = top if rest else who, not rest
        upload = found.setdefault(key, Upload("folder", who, loose=not rest))
        upload.files[rest or top] = above + name
    return [*found.values()]


def name_key(*names: str | None) -> str:
    """Return what two spellings of a name have in common: its letters and digits, in order."""
    text = normalize("NFKC", " ".join(filter(None, names))).casefold()
    return "".join(one for one in text if one.isalnum() or _is_vowel(one))


def _is_vowel(sign: str) -> bool:
    """Return whether a mark is a part of a name, as in Hindi and Thai: it is no accent."""
    return category(sign) in ("Mn", "Mc") and not "\u0300" <= sign <= "\u036f"


def shared_names(uploads: Iterable[Upload]) -> set[str]:
    """Return the keys of names that several uploads have, or that blind marking gives to all."""
    counts = Counter(name_key(upload.name) for upload in uploads)
    return {key for key, count in counts.items() if count > 1} | {"participant", ""}
