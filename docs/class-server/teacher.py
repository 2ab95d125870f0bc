"""The teacher's nbgrader, wherever it is started; goes to ~/.jupyter/nbgrader_config.py: the course's settings, as in its own folder."""

from pathlib import Path

load_subconfig("nbgrader_config.py", path=str(Path.home() / "neural-network-basics"))  # noqa: F821 (traitlets gives it to the file)
