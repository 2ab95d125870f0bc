"""How a learner's cells are found, run and asked: which texts run, what each call did, how much it may take. Nothing here knows an answer."""
