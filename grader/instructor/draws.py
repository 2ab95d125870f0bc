"""Ask a new process for random draws again: it repeats only those of the generator.

Draws that are the reference's own numbers need no proof: nothing but the generator gives them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grader.comparison.codec import numbers_in
from grader.comparison.distribution import same_numbers
from grader.comparison.schema import Call, CaseData, Outcome, Plain, Request, Response

SECOND, AGAIN, OTHER = 1, 2, 3
"""Places of draws in an outcome, see `grader.comparison.observe`."""


def doubtful(cases: list[CaseData], outcomes: list[Outcome]) -> list[int]:
    """Return the positions of draws that are not the reference's numbers."""
    pairs = enumerate(zip(cases, outcomes, strict=True))
    return [i for i, (case, one) in pairs if "draws" in case and not same_numbers(case, one)]


def ask_again(
    request: Request,
    response: Response,
    places: dict[str, list[int]],
    run: Callable[[Request], Response],
) -> None:
    """Ask a new process for the last draws in a response; mark those that it doesn't repeat.

    It is asked for nothing else, so that draws in the order of calls are others. A mark is a first
    draw that is not repeated with an equal generator.
    """
    calls = {
        name: [_last(request["calls"][name][place]) for place in asked]
        for name, asked in places.items()
    }
    answers = run({**request, "calls": calls})["answers"]
    for name, asked in places.items():
        outcomes = answers[name].get("outcomes", [Outcome()] * len(asked))
        for place, outcome in zip(asked, outcomes, strict=True):
            draws = response["answers"][name]["outcomes"][place]["draws"]
            if not _same(draws[OTHER], outcome.get("value")):
                draws[AGAIN] = draws[SECOND]


def _last(call: Call) -> Call:
    """Return the call for the last draws alone, those of the other generator."""
    inputs = [
        {"rng": one["rng"] + 1} if isinstance(one, dict) and "rng" in one else one
        for one in call["inputs"]
    ]
    return {"inputs": inputs}


def _same(one: Plain, other: Plain) -> bool:
    first, second = numbers_in(one), numbers_in(other)
    if first is None or second is None or first.shape != second.shape:
        return False
    return bool(np.allclose(first, second, rtol=1e-6, atol=0))
