"""An exported lesson in a real browser without a network, light and dark."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from accessible import broken
from lab import PICTURES, browser, require_chromium

from course import ROOT
from grader.learner.export import exported


@pytest.mark.long
def test_an_exported_lesson_is_whole_without_a_network_in_light_and_in_dark(tmp_path: Path) -> None:
    require_chromium()
    shutil.copytree(
        ROOT / "course" / "loss", tmp_path / "loss", ignore=shutil.ignore_patterns("progress.json")
    )
    shutil.copyfile(ROOT / "solutions" / "loss" / "loss.ipynb", tmp_path / "loss" / "loss.ipynb")
    (tmp_path / "loss.html").write_text(
        exported(tmp_path / "loss" / "loss.ipynb"), encoding="utf-8"
    )
    PICTURES.mkdir(parents=True, exist_ok=True)
    paper = {}
    with browser() as chromium:
        for scheme in ("light", "dark"):
            context = chromium.new_context(
                color_scheme=scheme, offline=True, viewport={"width": 1000, "height": 1400}
            )
            page, asked, complaints = context.new_page(), [], []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on(
                "console", lambda message, complaints=complaints: complaints.append(message.text)
            )
            page.goto((tmp_path / "loss.html").as_uri())
            assert [url[:40] for url in asked if not url.startswith(("file:", "data:"))] == []
            assert complaints == []
            assert page.evaluate(
                "[...document.images].every(image => image.complete && image.naturalWidth > 100)"
            )
            assert page.evaluate(
                "[...document.querySelectorAll('math')]"
                ".every(formula => formula.getBoundingClientRect().width > 2)"
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= 1000
            assert broken(page) == []
            paper[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
            page.screenshot(path=PICTURES / f"exported-loss-{scheme}.png", full_page=True)
    assert paper["light"] == "rgb(255, 255, 255)"
    assert paper["dark"] == "rgb(17, 17, 17)"
