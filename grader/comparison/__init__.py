"""Compare the results of a learner's function with those of the reference."""
