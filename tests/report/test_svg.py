"""Inline SVG: unique identifiers, no styles, text as it was given, the same bytes each time."""

import itertools
from xml.etree import ElementTree

import pytest

from goldstone.report.svg import _inline, end_labels, inline_svg, log_axis


def draw(axes: object) -> None:
    axes.plot([1, 2], [3, 4], "o-", color="#d55e00", label="<b> & $x_")  # type: ignore[attr-defined]
    axes.legend()  # type: ignore[attr-defined]


def test_text_stays_text_and_colours_are_attributes() -> None:
    text = inline_svg("one", 'a "plot" & more', draw)
    root = ElementTree.fromstring(text)
    assert root.attrib["aria-label"] == 'a "plot" & more'
    assert "<b> & $x_" in [node.text for node in root.iter("text")]
    assert any(node.get("stroke") == "#d55e00" for node in root.iter())
    assert "style" not in text
    assert "xlink" not in text


def test_identifiers_are_unique_by_key_and_resolve() -> None:
    first, second = (inline_svg(key, "d", draw) for key in ("a", "b"))
    identifiers = [
        {node.get("id") for node in ElementTree.fromstring(text).iter() if node.get("id")}
        for text in (first, second)
    ]
    assert identifiers[0]
    assert not identifiers[0] & identifiers[1]
    links = {n.get("href") for n in ElementTree.fromstring(first).iter() if n.get("href")}
    assert links <= {f"#{name}" for name in identifiers[0]}
    assert inline_svg("a", "d", draw) == first


def test_the_font_shorthand_of_older_matplotlib_is_spelled_out() -> None:
    document = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 20"><text '
        "style=\"font: 700 12.5px 'DejaVu Sans', sans-serif; text-anchor: end\">t</text></svg>"
    )
    root = ElementTree.fromstring(_inline(document, "k", "d"))
    text = root.find("text")
    assert text is not None
    assert text.attrib == {"font-size": "12.5", "font-weight": "bold", "text-anchor": "end"}
    assert (root.get("width"), root.get("height")) == ("10", "20")


@pytest.mark.parametrize(("low", "high", "ticks"), [(1e-7, 1.0, 4), (0.4, 6.0, 4)])
def test_logarithmic_axes_have_a_few_readable_ticks(low: float, high: float, ticks: int) -> None:
    seen: list[str] = []

    def scale(axes: object) -> None:
        log_axis(axes.yaxis, low, high)  # type: ignore[attr-defined]
        axes.figure.draw_without_rendering()  # type: ignore[attr-defined]
        places = axes.get_yticks()  # type: ignore[attr-defined]
        inside = [place for place in places if low <= place <= high]
        seen.extend(axes.yaxis.get_major_formatter()(place, 0) for place in inside)  # type: ignore[attr-defined]

    inline_svg("k", "d", scale)
    assert len(seen) >= ticks
    assert len(seen) <= 6
    assert len(set(seen)) == len(seen)


def test_labels_at_line_ends_do_not_cover_each_other() -> None:
    def label(axes: object) -> None:
        axes.plot([0, 1], [0, 1])  # type: ignore[attr-defined]
        end_labels(axes, [(1.0, f"name{i}", "#000000") for i in range(6)])

    root = ElementTree.fromstring(inline_svg("k", "d", label))
    heights = sorted(
        float(node.attrib["y"])
        for node in root.iter("text")
        if (node.text or "").startswith("name")
    )
    assert len(heights) == 6
    gaps = [b - a for a, b in itertools.pairwise(heights)]
    assert min(gaps) >= 10.5
