"""Time `grader serve` while a class submits: how long does each student wait for the feedback?

python benchmarks/serve.py [--students 300] [--seconds 60]
"""

from __future__ import annotations

import argparse
import json
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from nbgrader.utils import notebook_hash

from grader.author.lesson import load_lesson
from grader.instructor.sample_class import sample_class

ROOT = Path(__file__).parent.parent
LESSON = "neuron"
SETTINGS = """
c.ExchangeCollect.check_owner = False  # the students have no accounts
"""


def course(root: Path) -> Path:
    """Make a copy of the course with an empty exchange; return the folder of its exchange."""
    for name in ("course", "solutions", "playground"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    (root / "nbgrader_config.py").write_text(config + SETTINGS, encoding="utf-8")
    exchange = root / "class" / "exchange" / "neural_network_basics"
    (exchange / "inbound").mkdir(parents=True)
    return exchange


def submit(exchange: Path, student: str, notebook: bytes) -> Path:
    """Submit a notebook as `nbgrader submit` does; return the page that will be there."""
    time = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
    folder = exchange / "inbound" / f"{student}+{LESSON}+{time}+{secrets.token_hex(6)}"
    secret = secrets.token_hex(64)
    folder.mkdir()
    (folder / f"{LESSON}.ipynb").write_bytes(notebook)
    (folder / "timestamp.txt").write_text(time, encoding="utf-8")
    (folder / "submission_secret.txt").write_text(secret, encoding="utf-8")
    folder.chmod(0o777)
    hashed = notebook_hash(secret=secret, notebook_id=LESSON)
    return exchange / "feedback" / f"{hashed}.html"


def notebooks(students: int) -> list[bytes]:
    """Return right, wrong and unfinished notebooks."""
    made = sample_class(load_lesson(ROOT / "solutions" / LESSON), 2 * students)
    honest = [name for name in made if not name.endswith(("hostile", "untidy"))][:students]
    return [
        one if isinstance(one := made[name], bytes) else json.dumps(one).encode() for name in honest
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        exchange = course(Path(folder))
        command = [sys.executable, "-m", "grader.cli", "serve", LESSON]
        made = notebooks(wanted.students)
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        process.stdout.readline()
        try:
            pages: dict[Path, float] = {}
            start = time.time()
            for number, notebook in enumerate(made):
                time.sleep(max(0, start + number * wanted.seconds / len(made) - time.time()))
                pages[submit(exchange, f"student{number:03}", notebook)] = time.time()
            while process.poll() is None and not all(page.exists() for page in pages):
                time.sleep(0.1)
            waits = sorted(page.stat().st_mtime - submitted for page, submitted in pages.items())
            last = max(page.stat().st_mtime for page in pages) - start
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print("| submissions | in | all have feedback after | median wait | longest wait | processor |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {len(pages)} | {wanted.seconds:.0f} s | {last:.0f} s | {median(waits):.1f} s "
        f"| {waits[-1]:.1f} s | {used.ru_utime + used.ru_stime:.0f} s |"
    )


if __name__ == "__main__":
    main()
