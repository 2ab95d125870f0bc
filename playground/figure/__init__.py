"""The parts of every play: canvas, marks, scene and the learner's function."""
