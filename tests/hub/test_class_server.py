"""Use a class server in real browsers, as a teacher and two learners, from release to feedback."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psutil
import pytest
from hub import PEOPLE, ClassServer, require_root
from lab import CEILING, READY, Notebook, browser, ours, require_chromium
from playwright.sync_api import FrameLocator, Locator, Page, Response

from course import lesson, references, solved

pytestmark = pytest.mark.long

SLOPPY = "def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"
RIGHT = {
    name: re.sub(r"    ### (BEGIN|END) SOLUTION\n?", "", text)
    for name, text in references("neuron").items()
}
COMMENT = "Well seen; write it for large z too."

PRYING = """
import importlib.util, json, os, pathlib, sys
found = {{"solutions": [], "homes": []}}
for top in ("{base}", sys.prefix):
    for folder, folders, files in os.walk(top):
        folders[:] = [one for one in folders if one != "node_modules"]
        for one in files:
            path = os.path.join(folder, one)
            if one in ("exercises.py", "neuron.md") or path.endswith("class/gradebook.db"):
                found["solutions"].append(path)
for home in pathlib.Path("{base}/home").iterdir():
    if os.access(home, os.R_OK):
        found["homes"].append(home.name)
exchange = pathlib.Path("{base}/srv/nbgrader/exchange/neural_network_basics")
found["submissions"] = os.access(exchange / "inbound", os.R_OK)
found["feedback"] = os.access(exchange / "feedback", os.R_OK)
found["module"] = importlib.util.find_spec("solutions") is not None
print(json.dumps(found))
"""


AWAIT = """
import json, os, pathlib, sys, time
from datetime import UTC, datetime
from nbgrader.utils import notebook_hash
cache = pathlib.Path.home() / ".local/share/jupyter/nbgrader_cache/neural_network_basics"
last = max(cache.glob("*+loss+*"), key=lambda path: path.name)
secret = (last / "submission_secret.txt").read_text()
page = "{feedback}/" + notebook_hash(secret=secret, notebook_id="loss") + ".html"
while not os.path.exists(page):
    time.sleep(0.05)
submitted = datetime.fromisoformat((last / "timestamp.txt").read_text().replace(" UTC", "+00:00"))
print(json.dumps(os.path.getmtime(page) - submitted.timestamp()))
"""
"""Waits until the page about a learner's last submission of a lesson can be fetched.

Prints the seconds from the submission to the page."""

KNOCK = """
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=class -keyout own.key -out own.crt 2>&1
python - <<END
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.load_cert_chain("own.crt", "own.key")
try:
    connection = socket.create_connection(("127.0.0.1", {port}), timeout=600)
    print("let in", context.wrap_socket(connection).recv(1))
except ssl.SSLError:
    print("refused")
END
"""


class Person:
    """Somebody who is logged in to the hub, in a separate browser profile."""

    def __init__(self, server: ClassServer, chromium: Any, name: str) -> None:
        self.server, self.name = server, name
        self.page: Page = chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        self.page.set_default_timeout(CEILING)
        self.complaints: list[str] = []
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text) if message.type == "error" else None
            ),
        )
        self.page.goto(server.url("hub/login"))
        self.page.fill("#username_input", server.names[name])
        self.page.fill("#password_input", server.password)
        self.page.click("#login_submit")
        self.page.wait_for_function(
            "() => window.jupyterapp"
            " && document.querySelector('.jp-Launcher, iframe, .jp-DirListing-item')"
        )

    def menu(self, entry: str) -> None:
        """Choose an entry of JupyterLab's menu Nbgrader."""
        self.page.click(".lm-MenuBar-item:has-text('Nbgrader')")
        self.page.click(f".lm-Menu-item:has-text('{entry}')")

    def entries(self) -> list[str]:
        """Return the entries of that menu."""
        self.page.click(".lm-MenuBar-item:has-text('Nbgrader')")
        found = self.page.locator(".lm-Menu .lm-Menu-itemLabel").all_inner_texts()
        self.page.keyboard.press("Escape")
        return [one for one in found if one]

    def picture(self, name: str) -> None:
        Notebook(self.page).picture(f"hub-{name}")


class Learner(Person):
    """A learner, with the assignment list open."""

    def fetch(self) -> None:
        self.menu("Assignment List")
        self.page.click("#released_assignments_list button:has-text('Fetch')")
        self.page.locator("#fetched_assignments_list .assignment-notebooks-link").click()

    def open(self) -> Notebook:
        self.page.locator("#fetched_assignments_list .nested_list_item a").click()
        self.page.wait_for_function(READY)
        self.page.evaluate("() => jupyterapp.shell.collapseLeft()")
        return Notebook(self.page)

    def work(self, **answers: str) -> Notebook:
        """Open the lesson, write the answers, run all and save."""
        notebook = self.open()
        for name, text in answers.items():
            notebook.set_source(name, text)
        notebook.run_all()
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        self.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
        return notebook

    def validate(self) -> str:
        """Press nbgrader's button Validate and return the text of its dialog."""
        self.page.locator(".jp-NotebookPanel-toolbar >> text=Validate").click()
        dialog = self.page.locator(".jp-Dialog-content:has-text('Validation Results')")
        dialog.wait_for()
        said = dialog.inner_text()
        self.picture(f"validated-{self.name}")
        dialog.locator("button").click()
        return said

    def in_kernel(self, code: str) -> str:
        """Run code in the learner's kernel and return its output."""
        said: str = self.page.evaluate(
            """async code => {
                const {session} = jupyterapp.shell.currentWidget.sessionContext;
                const future = session.kernel.requestExecute({code});
                let text = '';
                future.onIOPub = ({content}) => { text += content.text ?? content.evalue ?? '' };
                await future.done;
                return text;
            }""",
            code,
        )
        return said

    def assignments(self) -> None:
        self.menu("Assignment List")
        self.page.click("#refresh_assignments_list")

    def submit(self) -> None:
        self.assignments()
        self.page.click("#fetched_assignments_list button:has-text('Submit')")
        self.page.locator("#submitted_assignments_list .nested_list_item").wait_for()
        self.picture(f"submitted-{self.name}")

    def feedback(self) -> str:
        """Fetch the feedback, open it as the assignment list leads there, and read it."""
        self.assignments()
        self.page.click("#submitted_assignments_list button:has-text('Fetch Feedback')")
        self.page.locator("#submitted_assignments_list a:has-text('view feedback')").click()
        self.page.locator(".jp-DirListing-item", has_text="neuron.html").dblclick()
        shown = self.page.frame_locator(".jp-HTMLViewer iframe")
        shown.locator("#check-sigmoid, .verdict").first.wait_for()
        shown.locator(".verdict", has_text="sigmoid").first.scroll_into_view_if_needed()
        self.picture(f"feedback-{self.name}")
        return shown.locator("body").inner_text()


class Teacher(Person):
    """The teacher, with formgrader open."""

    @property
    def formgrader(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    def row(self, text: str) -> Locator:
        return self.formgrader.locator("tbody tr", has_text=text)

    def press(self, text: str, column: str) -> str:
        """Click the link of a row in a column, and return the text of the dialog that follows."""
        self.row(text).locator(f"td.{column} a").click()
        dialog = self.formgrader.locator(".modal.in")
        dialog.wait_for()
        said = dialog.inner_text()
        dialog.locator("button:has-text('OK')").click()
        self.formgrader.locator(".modal-backdrop").wait_for(state="detached")
        return said

    def follow(self, *addresses: str) -> None:
        """Follow links by the ends of their addresses: two pages have a link called neuron."""
        for address in addresses:
            self.formgrader.locator(f"a[href$='/formgrader/{address}']").first.click()

    def mark(self, learner: str, exercise: str, points: str, comment: str) -> None:
        """Give points and a comment by hand, from the page of submissions on."""
        self.follow("gradebook", "gradebook/neuron", "gradebook/neuron/neuron")
        self.row(self.server.names[learner]).locator("td.name a:visible").click()
        for place, text in ((f"#{exercise}-comment", comment), (f"#check-{exercise}", points)):
            # The page sets the placeholder once it has loaded its fields.
            written = self.formgrader.locator(f"{place}[placeholder]")
            with self.page.expect_response(partial(has_kept, text)):
                written.fill(text)
                written.press("Tab")
        self.picture("comment")
        self.follow("gradebook", "manage_assignments")


def has_kept(text: str, answer: Response) -> bool:
    """Tell whether a response of formgrader says that it saved a text."""
    return answer.ok and answer.request.method == "PUT" and text in (answer.request.post_data or "")


@dataclass
class Evening:
    """Everything seen from the release to the feedback."""

    server: ClassServer
    menus: dict[str, list[str]] = field(default_factory=dict)
    validations: dict[str, str] = field(default_factory=dict)
    reached: dict[str, str] = field(default_factory=dict)
    dialogs: dict[str, str] = field(default_factory=dict)
    scores: dict[str, str] = field(default_factory=dict)
    feedback: dict[str, str] = field(default_factory=dict)
    complaints: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def server() -> Iterator[ClassServer]:
    require_chromium()
    require_root()
    server = ClassServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def evening(server: ClassServer) -> Evening:
    """Submit as Ada, and as Bob after the due date; grade, comment, and read the feedback."""
    seen = Evening(server)
    server.run(in_course("nbgrader release_assignment neuron"), "teacher")
    with browser() as chromium:
        ada, bob = (Learner(server, chromium, name) for name in ("ada", "bob"))
        work(ada, seen, {**RIGHT, "sigmoid": SLOPPY})
        due = "\"$(date -u -d '+1 second' '+%F %T UTC')\""
        for command in (
            f"nbgrader db assignment add neuron --duedate={due}",
            "sed -i 's/^# c.AssignLate/c.AssignLate/' class/nbgrader_config.py",
        ):
            server.run(in_course(command), "teacher")
        work(bob, seen, RIGHT)
        reach_for(server, "ada")
        teacher = Teacher(server, chromium, "teacher")
        grade(teacher, seen)
        for learner in (ada, bob):
            seen.feedback[learner.name] = learner.feedback()
        seen.complaints = {person.name: person.complaints for person in (ada, bob, teacher)}
    return seen


def in_course(command: str) -> str:
    return f"cd neural-network-basics; {command}"


def work(learner: Learner, seen: Evening, answers: dict[str, str]) -> None:
    """Fetch the lesson, work, validate and submit."""
    seen.menus[learner.name] = learner.entries()
    learner.fetch()
    notebook = learner.work(**answers)
    notebook.cell("check-sigmoid")
    seen.validations[learner.name] = learner.validate()
    seen.reached[learner.name] = learner.in_kernel(PRYING.format(base=learner.server.base))
    learner.submit()


def reach_for(server: ClassServer, name: str) -> None:
    """Add two links to the gradebook to a submission: a soft one and, as root, a hard one."""
    inbound = f"{server.base}/srv/nbgrader/exchange/neural_network_basics/inbound"
    gradebook = server.home("teacher") / "neural-network-basics/class/gradebook.db"
    folders = server.run(f"ls {inbound}").splitlines()
    (folder,) = (one for one in folders if one.startswith(f"{server.names[name]}+"))
    submission = shlex.quote(f"{inbound}/{folder}")
    server.run(f"ln -s {gradebook} {submission}/soft.html", name)
    server.run(f"ln {gradebook} {submission}/hard.html")


def grade(teacher: Teacher, seen: Evening) -> None:
    """Collect, autograde, comment and release the feedback, all in formgrader."""
    names = teacher.server.names
    seen.menus["teacher"] = teacher.entries()
    teacher.menu("Formgrader")
    seen.dialogs["collect"] = teacher.press("neuron", "collect")
    teacher.row("neuron").locator("td.num-submissions a").click()
    for name in ("ada", "bob"):
        seen.dialogs[f"autograde {name}"] = teacher.press(names[name], "autograde")
        teacher.row(names[name]).locator("td.status:has-text('graded')").wait_for()
        seen.scores[name] = teacher.row(names[name]).locator("td.score").inner_text()
    teacher.picture("autograded")
    teacher.mark("ada", "sigmoid", "2.8", COMMENT)
    for step in ("generate-feedback", "release-feedback"):
        seen.dialogs[step] = teacher.press("neuron", step)
    teacher.picture("released")


def test_the_learners_menu_has_what_learners_need_and_the_teachers_also_formgrader(
    evening: Evening,
) -> None:
    assert evening.menus["ada"] == evening.menus["bob"] == ["Assignment List", "Course List"]
    assert "Formgrader" in evening.menus["teacher"]


def test_the_validate_button_names_the_check_that_fails_and_praises_what_is_right(
    evening: Evening,
) -> None:
    assert "The following cell failed" in evening.validations["ada"]
    assert re.findall(r"check\((\w+)\)", evening.validations["ada"]) == ["sigmoid"]
    assert "Success! Your notebook passes all the tests." in evening.validations["bob"]


def test_formgraders_buttons_collect_autograde_and_give_back(evening: Evening) -> None:
    assert {step: said.split()[1] for step, said in evening.dialogs.items()} == dict.fromkeys(
        evening.dialogs, "Success"
    )
    assert evening.scores == {"ada": "9.7 / 10", "bob": "10 / 10"}


def test_a_learner_reads_verdict_hint_and_the_teachers_comment(evening: Evening) -> None:
    read = " ".join(evening.feedback["ada"].split())
    assert "9.8 of 10 points" in read
    assert "sigmoid ✗ not yet, 2.7 of 3 points" in read
    assert "Hint: The values are right, but numpy warns, for e to the power" in read
    assert COMMENT in read
    assert "Submitted late" not in read


def test_who_hands_in_late_reads_what_it_costs(evening: Evening) -> None:
    read = " ".join(evening.feedback["bob"].split())
    assert "Submitted late −1" in read
    assert "sigmoid ✓ solved" in read


def test_no_page_complains_but_formgraders_where_it_finds_no_network(evening: Evening) -> None:
    # MathJax can't be loaded next to a notebook to comment.
    offline = "Failed to load resource: net::ERR_"
    assert ours(evening.complaints["teacher"], (offline,)) == []
    assert ours(evening.complaints["ada"] + evening.complaints["bob"]) == []


def test_a_learners_kernel_reaches_no_solution_no_gradebook_and_no_other_learner(
    evening: Evening,
) -> None:
    for name in ("ada", "bob"):
        reached = json.loads(evening.reached[name])
        assert reached == {
            "solutions": [],
            "homes": [evening.server.names[name]],
            "submissions": False,
            "feedback": False,
            "module": False,
        }


def test_learners_servers_send_sliders_values_at_once(evening: Evening) -> None:
    loaded = evening.server.log.read_text(encoding="utf-8")
    assert loaded.count("playground.server | extension was successfully loaded") >= len(PEOPLE)


def test_targets_of_links_in_a_learners_inbound_folder_are_not_collected(evening: Evening) -> None:
    folder = f"class/submitted/{evening.server.names['ada']}/neuron"
    collected = evening.server.run(in_course(f"ls {folder}"), "teacher").split()
    assert "neuron.ipynb" in collected
    assert not {"soft.html", "hard.html"} & {*collected}


def test_a_dask_cluster_grades_for_the_teacher_and_for_nobody_else_and_ends(
    evening: Evening,
) -> None:
    server, teacher = evening.server, evening.server.names["teacher"]
    server.run(
        in_course(f"cp -r class/submitted/{server.names['ada']} class/submitted/carl"), "teacher"
    )
    server.run(server.block("dask-once"), "teacher")
    script = server.block("dask").replace(
        "\nkill", "\ntouch ~/graded; until [ -e ~/knocked ]; do sleep 0.1; done\nkill"
    )
    with ThreadPoolExecutor() as pool:
        running = pool.submit(server.run, script, "teacher")
        server.run("until [ -e ~/graded ]; do sleep 0.1; done", "teacher")
        knocked = server.run(KNOCK.format(port=server.dask_port), "ada")
        server.run("touch ~/knocked", "teacher")
        said = running.result()
    assert knocked.strip().endswith("refused")
    assert "neuron: 1 graded" in said
    assert "2 up to date" in said  # by formgrader's button
    assert server.run(f"pgrep -u {teacher} -f 'dask (scheduler|worker)' || true") == ""


def test_grader_serve_shows_results_seconds_after_a_submission(
    server: ClassServer, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange = f"{server.base}/srv/nbgrader/exchange/neural_network_basics"
    unit = server.repository / "docs" / "class-server" / "grader-serve.service"
    command = re.search(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    assert command
    serve = in_course(f"exec {command[1]}".replace(" neuron loss", " loss"))
    log = server.base / "serve.log"
    notebook = server.base / "loss.ipynb"
    notebook.write_text(json.dumps(solved("loss")), encoding="utf-8")
    server.run(in_course("nbgrader release_assignment loss"), "teacher")
    server.run(f"nbgrader fetch_assignment loss; cp {notebook} loss/loss.ipynb", "ada")
    forged = f"{exchange}/inbound/{server.names['ada']}+loss+2030-01-01 00:00:00 UTC+x"
    forge = f"mkdir '{forged}'; cd '{forged}'; cp {notebook} .; echo x > submission_secret.txt"
    server.run(f"{forge}; chmod 777 .", "bob")
    waited = []
    for _ in range(2):
        process = server.start(serve, "teacher", log)
        server.run(f"until grep -q Serving {log}; do sleep 0.1; done")
        server.run("nbgrader submit loss", "ada")
        script = AWAIT.format(feedback=f"{exchange}/feedback")
        waited.append(json.loads(server.run(f"python - <<'END'\n{script}END", "ada")))
        kill(process)
    with capsys.disabled():
        print(f"\nFrom submission to feedback: {', '.join(f'{one:.1f} s' for one in waited)}.")
    server.run("nbgrader fetch_feedback loss", "ada")
    pages = server.run("cat loss/feedback/*/loss.html", "ada")
    most = float(sum(one.points or 0 for one in lesson("loss").exercises.values()))
    assert pages.count(f"{most:g} of {most:g} points</") == 2
    journal = server.run(in_course("cat class/journal/loss.jsonl"), "teacher").splitlines()
    graded = [one for one in map(json.loads, journal) if "graded" in one]
    assert {one["student"] for one in graded} == {server.names["ada"]}
    assert len({one["seed"] for one in graded}) == len(graded) == 2
    assert "it belongs to another account" in log.read_text(encoding="utf-8")


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process of the server and all that it started at once, as a power cut would."""
    for one in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()
