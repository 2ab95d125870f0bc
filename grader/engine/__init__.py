"""Where no learner's code can reach the grader: a warm fork server in a sandbox, which forks a confined child for each notebook."""
