"""The parts that every play is made of: canvas, marks, scene and the learner's function."""
