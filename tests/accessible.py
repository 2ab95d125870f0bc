"""Let axe-core judge a page, or a place of it."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def broken(page: Page, place: str | None = None) -> list[tuple[str, str, str]]:
    """Return the rules that are broken, each with the selector and the HTML of an element."""
    found = Axe().run(page, place).response["violations"]
    return [
        (one["id"], str(node["target"][0]), node["html"][:200])
        for one in found
        for node in one["nodes"]
    ]
