"""What an instructor has: a class graded into nbgrader's gradebook, its feedback and its points; a notebook validated; a made-up class to try it on."""
