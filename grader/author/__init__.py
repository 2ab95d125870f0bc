"""What an author has: a lesson read, verified and made into a course; the learners' edition. Answers are known here."""
