"""Links between the pages lead to pages and headings that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def links(text: str) -> list[str]:
    return [to for to in LINK.findall(FENCED.sub("", text)) if not to.startswith("http")]


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in links(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), link
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), link


def test_every_page_is_in_the_table_of_contents():
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link).resolve() for link in links(index.read_text(encoding="utf-8"))}
    missing = {page for page in PAGES if page.parent != ROOT} - listed - {index}
    assert not missing, sorted(str(page.relative_to(ROOT)) for page in missing)


def test_links_and_anchors_are_found():
    text = "# One, two: f(x)!\n[a](b.md#c) ![p](q.svg)\n```\n[no](no.md)\n# no\n```\n[w](https://x.org)\n"
    assert links(text) == ["b.md#c", "q.svg"]
    assert anchors(text) == {"one-two-fx"}
