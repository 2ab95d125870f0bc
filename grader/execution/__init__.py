"""How a learner's cells are found, run and asked: which texts run, what each call did, how much it may take.

No answer is kept here; `answers` alone is handed a key, and no sandbox has that module.
"""
