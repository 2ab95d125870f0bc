"""nbgrader's settings for everyone on a class server; goes to etc/jupyter/nbgrader_config.py of the environment that all share."""

c = get_config()  # noqa: F821 (traitlets gives it to the file)

c.CourseDirectory.course_id = "neural_network_basics"
c.Exchange.root = "/srv/nbgrader/exchange"
# What stays in a learner's folder when the lesson is handed in.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "progress.json",
    ".version",
]
c.Execute.timeout = 120  # seconds a cell, for the Validate button
