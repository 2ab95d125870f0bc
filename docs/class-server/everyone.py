"""nbgrader for everyone: copy to etc/jupyter/nbgrader_config.py of the shared environment."""

c = get_config()  # noqa: F821 (traitlets gives it to the file)

c.CourseDirectory.course_id = "neural_network_basics"
c.Exchange.root = "/srv/nbgrader/exchange"
# Files that stay in a learner's folder when the lesson is submitted.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "progress.json",
]
c.Execute.timeout = 120  # seconds a cell, for the Validate button
