"""For learners: checks, questions and progress, and the commands lab, fresh, watch and export."""
