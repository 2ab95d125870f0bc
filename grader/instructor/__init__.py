"""For instructors: grade a class, give feedback, export points, validate a notebook."""
