"""The figures of the course: they run the learner's functions as a slider moves."""
