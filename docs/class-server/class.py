"""What holds for this class only; goes to class/nbgrader_config.py of the course, which the course's own settings read last."""

c = get_config()  # noqa: F821 (traitlets gives it to the file)

c.Exchange.root = "/srv/nbgrader/exchange"
# A tenth of the points for each day that has begun after the due date; without this line, late costs nothing.
# c.AssignLatePenalties.plugin_class = "grader.instructor.late.DailyPenalty"
