"""What a learner sees: checks, questions and progress in the notebook; the commands lab, fresh, watch and export in a terminal."""
