"""For authors, who know the answers: read a lesson, verify it, build the course and its archive."""
