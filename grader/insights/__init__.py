"""What a grading run knows of a class comes in; a page for the instructor, points for other systems and the next misconception go out."""
