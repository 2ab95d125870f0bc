"""nbgrader's settings for this course: `nbgrader …` run in this folder reads them. All that it writes stays under class/."""

import os
import sys
from pathlib import Path

root = Path(__file__).resolve().parent
(root / "class" / "exchange").mkdir(parents=True, exist_ok=True)
(root / "class" / "exchange").chmod(
    0o777
)  # nbgrader wants everyone on this machine to be able to hand in

# nbgrader calls alembic and jupyter by name; they are this environment's, also where nobody activated it.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

c = get_config()  # noqa: F821 (traitlets gives it to the file)

c.CourseDirectory.root = str(root)
c.CourseDirectory.course_id = "neural_network_basics"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "course"
c.CourseDirectory.submitted_directory = "class/submitted"
c.CourseDirectory.autograded_directory = "class/autograded"
c.CourseDirectory.feedback_directory = "class/feedback"
c.CourseDirectory.solution_directory = "class/solution"
c.CourseDirectory.db_url = f"sqlite:///{root}/class/gradebook.db"
# What an author writes, and what a learner's notebook leaves behind, travels nowhere.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "*.md",
    "exercises.py",
    "progress.json",
    ".version",
]
c.Exchange.root = str(root / "class" / "exchange")
c.Exchange.cache = str(root / "class" / "cache")
# On its own, collecting follows each link that a learner hands in: to the solutions, for example.
c.ExchangeFactory.collect = "grader.instructor.collect.SafeCollect"
c.ClearSolutions.code_stub = {
    "python": 'raise NotImplementedError("Not written yet: replace this line with your own code.")'
}
c.GenerateFeedback.exporter_class = (
    "grader.learner.offline.OfflineExporter"  # feedback shows its formulas without a network
)
c.Execute.timeout = 120

# Learners' code runs only in the grader's sandbox, also when nbgrader or formgrader's button starts it.
ours, nbgraders = "grader.instructor.nbgrader_autograde.", "nbgrader.preprocessors."
c.Autograde.sanitize_preprocessors = [
    ours + "GradeSubmission",
    *(
        nbgraders + name
        for name in ("ClearOutput", "DeduplicateIds", "OverwriteKernelspec", "OverwriteCells")
    ),
    ours + "SkipLessons",
]
c.Autograde.autograde_preprocessors = [
    ours + "WriteVerdicts",
    *(
        nbgraders + name
        for name in ("IgnorePattern", "LimitOutput", "SaveAutoGrades", "AssignLatePenalties")
    ),
    ours + "SkipLessons",
]

from grader.instructor.nbgrader_autograde import grade_in_the_engine  # noqa: E402 (with what it belongs to)

grade_in_the_engine()

# What holds for one class or machine only, like docs/class-server/class.py; git ignores it.
load_subconfig("class/nbgrader_config.py")  # noqa: F821 (as get_config)
