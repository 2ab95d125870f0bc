"""Explain a failed exercise in one sentence: a misconception, a repair, or a relation."""
