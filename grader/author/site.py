"""Build the course as static files: JupyterLite, whose kernel runs in the learner's browser."""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import shutil
import subprocess
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.author.bundle import ALWAYS, files_of_bundle
from grader.author.lesson import authors_root
from grader.author.xeus import add_xeus
from grader.errors import UserError
from grader.learner.workspace import ORDER
from grader.settings import Settings, load_settings

ENVIRONMENT = Path(".venv") / "site"
"""In the course's folder: an environment with the packages of docs/site/requirements.lock."""

PYODIDE, XEUS = "pyodide", "xeus"
KERNELS = {PYODIDE: "python", XEUS: "xpython"}
"""Names of the kernels in a notebook."""

WELCOME = "welcome.ipynb"
SECTION = """\
## In this browser

- **Your work** is kept in this browser on this machine, and nowhere else. Deleting the site's data
  deletes it, and so does a private window when it is closed: download it now and then.
- **A loop that never ends** can't be stopped by ■ here. Restart the kernel with ⟳ in the toolbar:
  what you wrote stays. Then run the cells from the top.
- **A new copy of a lesson**: download or rename yours, then delete the lesson's notebook in the
  list of files, and reload the page.
- **Checks** can't hear numpy's warnings here: whether a function warns is looked at after handing
  in.

Run this cell for a button that downloads all lessons in one archive: that is what you hand in. Save
open notebooks first (Ctrl+S)."""
BUTTON = "from grader.learner.download import download\n\ndownload()"

IPYTHON = "etc/ipython/"
"""Folder of IPython's settings, where Python is installed."""

# The pages below read the element with JupyterLite's configuration in this one.
FIRST_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{name}</title>
<meta http-equiv="refresh" content="0; url=lab/index.html?path={page}">
<script id="jupyter-config-data" type="application/json" data-jupyter-lite-root=".">{{}}</script>
<p><a href="lab/index.html?path={page}">{name}</a></p></html>
"""


def build_site(root: Path, into: Path, kernel: str) -> None:
    """Write the site of the course at `root` to the folder `into`.

    Raises:
        UserError: JupyterLite can't build it.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    settings, files = load_settings(root), files_of_bundle(root)
    packages = ("grader", *settings.packages)
    modules = {path: data for path, data in files.items() if path.split("/")[0] in packages}
    shared = _ipython(modules)
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        lite = Path(folder)
        for path, data in _contents(settings, files, KERNELS[kernel]).items():
            place = lite / "contents" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        wheel = _wheel(lite / "wheels", project, modules, shared)
        for name, content in _configuration(project, settings, kernel, wheel).items():
            (lite / name).write_text(json.dumps(content), encoding="utf-8")
        _run_jupyterlite(root, lite)
        built = lite / "site"
        _remove_extensions(built, [other for other in KERNELS if other != kernel])
        if kernel == XEUS:
            add_xeus(built, root / ENVIRONMENT, modules, shared)
        page = WELCOME if (built / "files" / WELCOME).is_file() else ""
        first = FIRST_PAGE.format(name=project["name"], page=page)
        (built / "index.html").write_text(first, encoding="utf-8")
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(built, into)


def _contents(settings: Settings, files: Mapping[str, bytes], kernel: str) -> dict[str, bytes]:
    """Return the files that the learner sees, with the kernel's name in each notebook."""
    release = f"{settings.release}/"
    found = {
        path.removeprefix(release): data
        for path, data in files.items()
        if path.startswith(release) and path != release + ORDER
    }
    for path in (one for one in found if one.endswith(".ipynb")):
        notebook = json.loads(found[path])
        spec = {"name": kernel, "display_name": "Python in the browser", "language": "python"}
        notebook["metadata"]["kernelspec"] = spec
        if path == WELCOME:
            first = next(
                i for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"
            )
            notebook["cells"][first + 1 : first + 1] = _section()
        found[path] = json.dumps(notebook, ensure_ascii=False, indent=1).encode()
    return found


def _section() -> list[dict[str, Any]]:
    """Return the cells about the browser."""
    text = {"cell_type": "markdown", "id": "browser", "metadata": {}, "source": SECTION}
    code = {"cell_type": "code", "id": "download", "metadata": {}, "source": BUTTON}
    return [text, {**code, "execution_count": None, "outputs": []}]


def _ipython(modules: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the settings that load the same extensions into a kernel that is not ipykernel."""
    settings = json.loads(modules["grader/kernelconfig/ipython_kernel_config.json"])
    content = {"InteractiveShellApp": settings["IPKernelApp"]}
    return {f"{IPYTHON}ipython_config.json": json.dumps(content).encode()}


def _wheel(
    folder: Path,
    project: Mapping[str, str],
    modules: Mapping[str, bytes],
    shared: Mapping[str, bytes],
) -> Path:
    """Write the packages as a wheel that requires only what a browser needs."""
    name, version = project["name"].replace("-", "_"), project["version"]
    info, data_folder = f"{name}-{version}.dist-info", f"{name}-{version}.data/data"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "Requires-Dist: ipywidgets\nRequires-Dist: numpy\n"
    tags = "Wheel-Version: 1.0\nGenerator: grader\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {**modules, **{f"{data_folder}/{path}": content for path, content in shared.items()}}
    files |= {f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": tags.encode()}
    record = "".join(f"{path},{_digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, ALWAYS), content, zipfile.ZIP_DEFLATED)
    folder.mkdir()
    (wheel := folder / f"{name}-{version}-py3-none-any.whl").write_bytes(data.getvalue())
    return wheel


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"sha256={digest}"


def _configuration(
    project: Mapping[str, str], settings: Settings, kernel: str, wheel: Path
) -> dict[str, Any]:
    """Return JupyterLite's configuration files."""
    look = {"appName": project["name"], "exposeAppInBrowser": True, "appUrl": "./lab"}
    look |= {"defaultKernelName": KERNELS[kernel]}
    places = {"contents": ["contents"], "output_dir": "site", "apps": ["lab"]}
    build: dict[str, Any] = {"LiteBuildConfig": {**places, "no_sourcemaps": True}}
    build["LiteBuildConfig"]["disable_addons"] = ["jupyterlite-xeus"]  # `add_xeus` does its work
    overrides: dict[str, Any] = {}
    for package in settings.packages:
        config = settings.root / package / "labconfig"
        if (file := config / "page_config.json").is_file():
            look |= json.loads(file.read_text(encoding="utf-8"))
        if (file := config / "default_setting_overrides.json").is_file():
            overrides |= json.loads(file.read_text(encoding="utf-8"))
    if kernel == PYODIDE:
        # What the wheel requires comes from Pyodide's own packages, unless it is in `specs`.
        lock = {"enabled": True, "wheels": [str(wheel.parent)]}
        build["PyodideLockAddon"] = {**lock, "prefetch_extra": [wheel.name.split("-")[0]]}
    return {
        "jupyter-lite.json": {"jupyter-lite-schema-version": 0, "jupyter-config-data": look},
        "jupyter_lite_config.json": build,
        "overrides.json": overrides,
    }


def _run_jupyterlite(root: Path, lite: Path) -> None:
    program = root / ENVIRONMENT / "bin" / "jupyter-lite"
    if not program.is_file():
        raise UserError(f"{program} is missing; make site sets it up.")
    done = subprocess.run([program, "build"], cwd=lite, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"JupyterLite could not build the site:\n{done.stdout}\n{done.stderr}")


def _remove_extensions(site: Path, kernels: Iterable[str]) -> None:
    """Take the extensions of other kernels out of the site."""
    path = site / "jupyter-lite.json"
    configuration = json.loads(path.read_text(encoding="utf-8"))
    data = configuration["jupyter-config-data"]
    for kernel in kernels:
        extensions = data["federated_extensions"]
        data["federated_extensions"] = [one for one in extensions if kernel not in one["name"]]
        for folder in (site / "extensions").glob(f"@*/{kernel}*"):
            shutil.rmtree(folder)
    path.write_text(json.dumps(configuration), encoding="utf-8")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `site`."""
    parser = subparsers.add_parser(
        "site", help="make a web site of the course whose kernel runs in the browser"
    )
    parser.add_argument("--kernel", choices=[*KERNELS], default=PYODIDE)
    parser.add_argument("--output", type=Path, help="default: dist/site")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    into = arguments.output or root / "dist" / "site"
    build_site(root, into, arguments.kernel)
    print(f"{into}: any web server for static files serves it.")
    return 0
