"""Run learners' code where it can't reach the grader: a sandboxed fork server."""
