"""Find a learner's cells, run them, and call their functions within limits.

`answers` alone handles an answer key; no sandbox contains that module.
"""
