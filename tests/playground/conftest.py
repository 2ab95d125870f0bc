"""What tests of what moves share: a cell that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.figure import rest


@pytest.fixture
def cell() -> Iterator[None]:
    """A cell runs, until the test lets it end."""
    rest.hold(True)
    yield
    rest.hold(False)
