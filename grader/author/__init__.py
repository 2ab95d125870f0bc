"""What an author has: a lesson read, verified and made into a course; the learners' edition; notebooks validated. Answers are known here."""
