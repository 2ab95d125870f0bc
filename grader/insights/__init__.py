"""What a grading run knows of a class comes in; a page for the instructor and points for other systems go out."""
