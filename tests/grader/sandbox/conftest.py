"""An engine for each protection of this machine; the second one only in long runs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hostile import LIMITS

from course import SETTINGS
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

KINDS = {
    Protection.NAMESPACES: [Protection.NAMESPACES, Protection.LANDLOCK],
    Protection.LANDLOCK: [Protection.LANDLOCK],
    Protection.NONE: [],
}[protection()]
KIND, *OTHERS = KINDS or [None]


def name_of(kind: Protection | None) -> str:
    return kind.name.lower() if kind else "unprotected"


@pytest.fixture(
    scope="module",
    params=[KIND, *(pytest.param(other, marks=pytest.mark.long) for other in OTHERS)],
    ids=name_of,
)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "This machine can't confine notebooks, so no attack on the confinement was tried."
        )
    with Engine(SETTINGS, LIMITS, request.param) as engine:
        yield engine
