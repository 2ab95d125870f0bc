"""The one idea: what a learner's function returns is compared with what the reference returns. A learner, the grader and CI all use it."""
