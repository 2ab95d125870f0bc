"""Settings of one class: copy to class/nbgrader_config.py, which nbgrader_config.py reads last."""

c = get_config()  # noqa: F821 (traitlets gives it to the file)

c.Exchange.root = "/srv/nbgrader/exchange"
# A tenth of the points for each day begun after the due date. Without it, lateness costs nothing.
# c.AssignLatePenalties.plugin_class = "grader.instructor.late.DailyPenalty"
