"""Lets tests import what they share by name: `course`, and `lab` for those in a browser, `hub` for those on a class server."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "browser"), str(Path(__file__).parent / "hub")]
