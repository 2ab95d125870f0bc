"""The widgets and figures of the course: a learner's functions go in, a picture that follows the sliders comes out."""
