"""Let tests import their helpers by name: `course`, `lab` (browser), `hub` (class server)."""

import os
import signal
import sys
from pathlib import Path

import grader
import grader.startup

TESTS = Path(__file__).parent
sys.path[:0] = [
    str(folder)
    for folder in (TESTS, TESTS / "browser", TESTS / "hub", TESTS / "grader" / "diagnosis")
]

# Tests run on all cores, and BLAS threads that wait for a busy core spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A background job ignores Ctrl-C, and so would the programs that its tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The setup cells of lessons, which tests run in this process, would keep missions in a file.
grader.missions = set()
