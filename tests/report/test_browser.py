"""The pages in headless Chromium: no error, no request, no overflow, and they print."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from goldstone.auditing import AuditResult
from goldstone.report import write_index

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PAGES = ("complete", "minimal", "boosts", "hostile", "many", "probed", "undefined", "large")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed (Debian's package of that name)")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(params=[*PAGES, "index"])
def page_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param != "index":
        rendered: Callable[[AuditResult], Path] = request.getfixturevalue("rendered")
        return rendered(request.getfixturevalue(request.param))
    names = ("complete", "minimal", "boosts")
    for name in names:
        request.getfixturevalue(name).save(tmp_path / name)
    return write_index(tmp_path, [(name, name) for name in names])


def test_pages_in_a_browser(browser: Any, page_path: Path) -> None:
    for (width, height), scheme in zip(SIZES.values(), ("light", "dark"), strict=True):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        page = context.new_page()
        messages: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message, seen=messages: seen.append(message.text))
        page.on("pageerror", lambda error, seen=messages: seen.append(str(error)))
        page.on("request", lambda request, seen=requests: seen.append(request.url))
        page.goto(page_path.as_uri())
        page.wait_for_load_state("networkidle")
        assert messages == []
        assert [url for url in requests if not url.startswith("data:")] == [page_path.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
        # The style sheet was accepted by the page's own policy.
        assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px"
        assert _smallest_text(page) >= 8.5
        context.close()


def _smallest_text(page: Any) -> float:
    """The smallest text inside figures, in CSS pixels as drawn."""
    script = """() => Math.min(99, ...[...document.querySelectorAll('svg.plot text')].map(t => {
        const svg = t.closest('svg');
        const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
        return parseFloat(getComputedStyle(t).fontSize) * scale;
    }))"""
    return float(page.evaluate(script))


@pytest.mark.parametrize("name", ["complete", "probed"])
def test_the_complete_page_prints(
    name: str,
    browser: Any,
    request: pytest.FixtureRequest,
    rendered: Callable[[AuditResult], Path],
) -> None:
    page = browser.new_page()
    page.goto(rendered(request.getfixturevalue(name)).as_uri())
    document = page.pdf(format="A4", print_background=True)
    assert document.startswith(b"%PDF-")
    # Nothing is wider than the printed page, or its right part would be cut off.
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 696, "height": 1000})
    wide = page.evaluate(
        """() => [...document.querySelectorAll('table, svg.plot, .strip')]
        .filter(n => n.getBoundingClientRect().right > 697).map(n => n.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    page.close()
