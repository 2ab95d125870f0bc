"""Find a learner's cells, run them and ask their functions, within limits.

No answer is kept here; `answers` alone is handed a key, and no sandbox has that module.
"""
