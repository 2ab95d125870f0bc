"""nbgrader's settings for this course, read by `nbgrader …` in this folder.

nbgrader writes only below class/.
"""

import contextlib
import os
import sys
from pathlib import Path

root = Path(__file__).resolve().parent
exchange = root / "class" / "exchange"
exchange.mkdir(parents=True, exist_ok=True)
with contextlib.suppress(PermissionError):  # another teacher of the group made it
    # nbgrader requires that everyone on this machine can write here; with the sticky bit, nobody
    # can put a folder of their own in the place of the course's.
    exchange.chmod(0o1777)

# nbgrader calls alembic and jupyter by name: find this environment's, even if it isn't activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

c = get_config()  # noqa: F821 (traitlets provides it)

c.CourseDirectory.root = str(root)
c.CourseDirectory.course_id = "neural_network_basics"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "course"
c.CourseDirectory.submitted_directory = "class/submitted"
c.CourseDirectory.autograded_directory = "class/autograded"
c.CourseDirectory.feedback_directory = "class/feedback"
c.CourseDirectory.solution_directory = "class/solution"
# In a URL, ? begins the options and % a character's number.
gradebook = f"{root}/class/gradebook.db".replace("%", "%25").replace("?", "%3F")
c.CourseDirectory.db_url = f"sqlite:///{gradebook}"
# An author's files, and files that a learner's notebook leaves behind, are never copied.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "*.md",
    "exercises.py",
    "progress.json",
]
c.Exchange.root = str(exchange)
c.Exchange.cache = str(root / "class" / "cache")
# nbgrader's own collect follows the links in a submission: to the solutions, for example.
c.ExchangeFactory.collect = "grader.instructor.collect.SafeCollect"
c.ZipCollectApp.downloaded_directory = "class/downloaded"
c.ClearSolutions.code_stub = {
    "python": 'raise NotImplementedError("Not written yet: replace this line with your own code.")'
}
c.ExchangeFactory.release_feedback = "grader.instructor.release.ReleaseFeedback"
c.Execute.timeout = 120

# Learners' code runs only in the grader's sandbox, also for `nbgrader autograde` and formgrader.
from grader.instructor.nbgrader_autograde import keep_logs_harmless, use_sandboxed_autograde  # noqa: E402 (belongs here)
from grader.instructor.nbgrader_feedback import use_current_feedback  # noqa: E402
from grader.instructor.nbgrader_files import use_certain_files  # noqa: E402

use_sandboxed_autograde()
use_current_feedback()
use_certain_files()
keep_logs_harmless()

# Settings of one class or machine, like docs/class-server/class.py; git ignores the file.
load_subconfig("class/nbgrader_config.py")  # noqa: F821 (as get_config)
