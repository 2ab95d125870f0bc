"""Add a kernel to a JupyterLite site from packages of the Python index alone.

The xeus extension takes its kernel from conda packages, which not every network reaches. The last
wheel that holds a whole kernel, `jupyterlite-xeus-python` of 2023, has Python 3.11 and numpy 1.25:
enough to test a site. It is unpacked, never installed, and a few lines make it answer today's
extension.
"""

from __future__ import annotations

import importlib.util
import io
import json
import marshal
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

WHEEL = "jupyterlite_xeus_python-*.whl"
STATIC = "jupyterlite_xeus_python-1.0.0.data/data/share/jupyter/labextensions/@jupyterlite/"
STATIC += "xeus-python-kernel/static/"
VERSIONS = {"python": "3.11.3", "numpy": "1.25.2", "emscripten-abi": "3.1.45"}
"""Of the packages whose versions the extension asks for; all others are made one package."""
SITE_PACKAGES = "lib/python3.11/site-packages/"
WIDGETS = ("comm", "ipywidgets")
UNUSED = {"pip", "setuptools", "wheel", "pexpect", "ptyprocess"}
MAGIC = (3495).to_bytes(2, "little") + b"\r\n"
"""Of bytecode of Python 3.11."""

# Today's extension calls two phases in place of one init, and makes folders that are there.
SHIM = """
;(() => {
  const make = createXeusModule;
  globalThis.createXeusModule = createXeusModule = async options => {
    const made = await make(options);
    made.init_phase_1 = async (prefix, version) => {
      made.setenv("PYTHONUTF8", "1");
      const {mkdir} = made.FS;
      made.FS.mkdir = (...given) => {
        try { return mkdir(...given) } catch (error) { if (error.errno !== 20) throw error }
      };
      try { await made.init(prefix, version) } finally { made.FS.mkdir = mkdir }
    };
    made.init_phase_2 = () => {};
    return made;
  };
})();
"""
TABLE = re.compile(r'"https://raw\.githubusercontent\.com/[^"]*compressed_mapping\.json"')
"""A table of conda packages that the extension would fetch at each start, and doesn't need."""

Files = Iterator[tuple[str, bytes]]


def add_xeus(
    site: Path, environment: Path, modules: Mapping[str, bytes], shared: Mapping[str, bytes]
) -> None:
    """Write the kernel, with the course's modules and settings in it, into a built site."""
    place = site / "xeus" / "course"
    packages = place / "kernel_packages"
    for folder in (place / "bin", packages, place / "xpython"):
        folder.mkdir(parents=True)
    [wheel] = environment.glob(WHEEL)
    with zipfile.ZipFile(wheel) as archive:
        program = archive.read(f"{STATIC}xpython_wasm.js") + SHIM.encode()
        (place / "bin" / "xpython.js").write_bytes(program)
        (place / "bin" / "xpython.wasm").write_bytes(archive.read(f"{STATIC}xpython_wasm.wasm"))
        table = json.loads(archive.read(f"{STATIC}empack_env_meta.json"))["packages"]
        found: dict[str, list[tuple[str, bytes]]] = {"notebook": []}
        for package in (one for one in table if one["name"] not in UNUSED):
            name = package["name"] if package["name"] in VERSIONS else "notebook"
            found.setdefault(name, []).extend(_untar(archive.read(STATIC + package["filename"])))
    found["widgets"] = [*_installed(environment)]
    found["course"] = [(SITE_PACKAGES + path, data) for path, data in modules.items()]
    found["course"] += shared.items()
    listed = [_package(packages, name, files) for name, files in found.items()]
    _write(
        place / "empack_env_meta.json", prefix="/", packages=listed, specs=[], channels=["local"]
    )
    spec = {"name": "xpython", "display_name": "Python in the browser", "language": "python"}
    program_of = {"argv": ["xeus/course/bin/xpython.js", "-f", "{connection_file}"]}
    more: dict[str, Any] = {"metadata": {"debugger": False}, "resources": {}}
    _write(place / "xpython" / "kernel.json", **spec, **program_of, **more)
    kernels = [{"kernel": "xpython", "env_name": "course"}]
    (site / "xeus" / "kernels.json").write_text(json.dumps(kernels), encoding="utf-8")
    for script in site.glob("extensions/@jupyterlite/xeus*/static/*.js"):
        text = script.read_text(encoding="utf-8")
        script.write_text(TABLE.sub('"data:application/json,{}"', text), encoding="utf-8")


def _installed(environment: Path) -> Files:
    """Yield the files of the packages for widgets, from the environment that builds the site."""
    [packages] = environment.glob("lib/python3*/site-packages")
    for name in WIDGETS:
        for path in sorted((packages / name).rglob("*.py")):
            yield SITE_PACKAGES + path.relative_to(packages).as_posix(), path.read_bytes()


def _package(folder: Path, name: str, files: list[tuple[str, bytes]]) -> dict[str, Any]:
    """Write files as a package of the kernel's environment; return its entry in the table."""
    stem = f"{name}-1-0"
    with tarfile.open(folder / f"{stem}.tar.gz", "w:gz", compresslevel=9) as archive:
        for path, data in _compiled(files):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    place = {"filename_stem": stem, "filename": f"{stem}.tar.gz", "channel": "", "subdir": ""}
    return {"name": name, "version": VERSIONS.get(name, "1"), "build": "0", **place, "depends": []}


def _compiled(files: list[tuple[str, bytes]]) -> Files:
    """Yield files, Python's as bytecode if possible: the kernel starts in half the time."""
    for path, data in files:
        here = importlib.util.MAGIC_NUMBER == MAGIC
        if not path.endswith(".py") or path.endswith("/python3.11/os.py") or not here:
            yield path, data
            continue
        try:
            code = compile(data, f"/{path}", "exec", dont_inherit=True)
        except SyntaxError:  # files for tests of tools
            continue
        yield f"{path}c", MAGIC + (1).to_bytes(4, "little") + bytes(8) + marshal.dumps(code)


def _untar(data: bytes) -> Files:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            if file := archive.extractfile(member):
                yield member.name, file.read()


def _write(path: Path, **content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
