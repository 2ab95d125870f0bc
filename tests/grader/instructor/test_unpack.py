"""An archive is unpacked within bounds, whatever its names, sizes and links are."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from unicodedata import normalize

import pytest

from grader.errors import UserError
from grader.instructor import unpack as module
from grader.instructor.unpack import unpack


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return data.getvalue()


def unpacked(folder: Path, data: bytes) -> module.Unpacked:
    (folder / "a.zip").write_bytes(data)
    return unpack(folder / "a.zip", folder / "out")


def contents(found: module.Unpacked) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in found.files.items()}


def test_files_and_those_of_archives_inside_are_stored_without_hidden_ones(tmp_path: Path) -> None:
    inner = zipped({"neuron/neuron.ipynb": b"{}", "__MACOSX/._neuron.ipynb": b"Mac"})
    found = unpacked(tmp_path, zipped({"./ada/my.zip": inner, "ada/.DS_Store": b"", "b\\c": b"c"}))
    assert contents(found) == {"ada/my.zip/neuron/neuron.ipynb": b"{}", "b/c": b"c"}
    assert found.left_out == {}


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../b", "C:/x", "..\\x"])
def test_a_path_that_leads_outside_is_left_out_and_the_rest_is_taken(
    tmp_path: Path, name: str
) -> None:
    found = unpacked(tmp_path, zipped({name: b"evil", "good": b"good"}))
    assert contents(found) == {"good": b"good"}
    assert [*found.left_out.values()] == ["its path leads out of the archive"]
    assert {path.name for path in tmp_path.rglob("*")} == {"a.zip", "out", "1"}


def test_links_in_archives_and_folders_are_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the teacher's")
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr(info, str(secret))
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"{kind!r}")
            member.type, member.linkname = kind, str(secret)
            tar.addfile(member)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(secret)
    (folder / "all").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    for number, (source, count) in enumerate([("a.zip", 1), ("a.tgz", 3), ("folder", 3)]):
        found = unpack(tmp_path / source, tmp_path / f"out-{number}")
        assert contents(found) == {}
        assert len(found.left_out) == count


def test_a_bomb_costs_only_itself_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 1_000)
    monkeypatch.setattr(module, "MAX_INNER_BYTES", 3_000)
    inner = zipped({str(number): bytes(900) for number in range(9)})
    found = unpacked(tmp_path, zipped({"bomb": bytes(10**6), "b.zip": inner, "good": b"good"}))
    assert found.files["good"].read_bytes() == b"good"
    assert found.left_out.keys() == {"bomb", "b.zip"}
    stored = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in stored) <= 1_000
    monkeypatch.setattr(module, "MAX_BYTES", 5_000)
    many = zipped({str(number): bytes(900) for number in range(9)})
    (tmp_path / "many.zip").write_bytes(many)
    with pytest.raises(UserError, match="holds more than"):
        unpack(tmp_path / "many.zip", tmp_path / "again")
    monkeypatch.setattr(module, "MAX_FILES", 5)
    with pytest.raises(UserError, match="more than 5 files"):
        unpack(tmp_path / "many.zip", tmp_path / "once more")


def test_of_archives_that_hold_too_much_nothing_stays_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_INNER_BYTES", 3_000)
    bomb = zipped({str(number): bytes(900) for number in range(9)})
    found = unpacked(tmp_path, zipped({f"{number}.zip": bomb for number in range(9)}))
    assert len(found.left_out) == 9
    stored = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert stored == found.size


def test_an_archive_in_an_archive_has_little_memory(tmp_path: Path) -> None:
    data, info = io.BytesIO(), tarfile.TarInfo("a name of 300 MB")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 300 << 20
    with gzip.open(data, "wb", compresslevel=1) as file:
        file.write(info.tobuf())
        for _ in range(300):
            file.write(bytes(1 << 20))
    found = unpacked(tmp_path, zipped({"a.tgz": data.getvalue(), "good": b"good"}))
    assert "MB of memory" in found.left_out["a.tgz"]


def test_names_of_a_mac_keep_their_accents(tmp_path: Path) -> None:
    name = normalize("NFD", "Zoë Krüger/neuron.ipynb")
    data = zipped({name: b""})
    unmarked = data.replace(b"\x00\x08", b"\x00\x00")  # the mark for UTF-8
    for number, one in enumerate((data, unmarked)):
        (tmp_path / f"{number}").mkdir()
        assert [*unpacked(tmp_path / f"{number}", one).files] == ["Zoë Krüger/neuron.ipynb"]


@pytest.mark.parametrize(
    "data", [b"", b"text", zipped({"a": b"a" * 99})[:-30]], ids=["empty", "text", "cut"]
)
def test_what_is_no_archive_is_refused_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UserError, match=r"a\.zip"):
        unpacked(tmp_path, data)
    with pytest.raises(UserError, match="nowhere"):
        unpack(tmp_path / "nowhere", tmp_path / "there")


def test_a_damaged_file_in_an_archive_is_left_out(tmp_path: Path) -> None:
    data = zipped({"bad": os.urandom(400), "good": b"good"})
    found = unpacked(tmp_path, data[:60] + b"damaged" + data[67:])
    assert contents(found) == {"good": b"good"}
    assert found.left_out == {"bad": "it is damaged, or encrypted"}
