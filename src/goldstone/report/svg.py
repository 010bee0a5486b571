"""Matplotlib figures as inline SVG: text stays text, colours follow the page, nothing random."""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from math import floor, log10
from typing import Any
from xml.etree import ElementTree

from goldstone.core import require
from goldstone.report.marks import GRID, INK, MUTED
from goldstone.report.numbers import power_of_ten

Axes = Any
"""A ``matplotlib.axes.Axes``; matplotlib is imported only when a figure is drawn."""

_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "font.size": 11,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.6,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "goldstone",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 10.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 10.5,
}


def inline_svg(
    key: str,
    description: str,
    draw: Callable[[Axes], None],
    width: float = 328,
    height: float = 250,
) -> str:
    """The axes that ``draw`` fills, as an ``<svg>`` of ``width`` × ``height`` CSS pixels.

    ``key`` makes the identifiers inside unique on the page; ``description`` is the text for
    readers who cannot see it.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    matplotlib = require("matplotlib", "report")
    figures = require("matplotlib.figure", "report")
    buffer = io.StringIO()
    with matplotlib.rc_context({**_STYLE}), warnings.catch_warnings():
        # The browser draws the text; a glyph missing from matplotlib's own font is no trouble.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = figures.Figure(figsize=(width / 72, height / 72), layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue(), key, description)


def _inline(document: str, key: str, description: str) -> str:
    root = ElementTree.fromstring(document)
    _strip(root)
    referenced = {name for node in root.iter() for name in _references(node)}
    for node in root.iter():
        node.tag = node.tag.split("}")[-1]
        attributes = dict(node.attrib)
        node.attrib.clear()
        for name, value in attributes.items():
            short = name.split("}")[-1]
            if short == "style":
                # Presentation attributes, as the page's security policy bars inline styles.
                node.attrib.update(_presentation(value, key))
            elif short == "id":
                if value in referenced:
                    node.set("id", f"{key}-{value}")
            else:
                link = f"#{key}-{value[1:]}" if short == "href" and value[0] == "#" else value
                node.set(short, _shorten(short, _prefixed(link, key)))
    _, _, width, height = root.attrib["viewBox"].split()
    root.attrib.clear()
    root.attrib.update(
        {"class": "plot", "viewBox": f"0 0 {width} {height}", "width": width, "height": height}
    )
    root.attrib.update({"role": "img", "aria-label": description})
    text = re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode"))
    # ElementTree leaves quotes in text as they are; here nothing but markup may hold them.
    return re.sub(r">([^<]*)<", lambda m: ">" + m[1].replace('"', "&quot;") + "<", text)


def _strip(root: ElementTree.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            tag = child.tag.split("}")[-1]
            # The style element would leak to the whole page.
            if tag in ("metadata", "style") or (tag == "defs" and _only_style(child)):
                parent.remove(child)


def _only_style(node: ElementTree.Element) -> bool:
    return all(child.tag.endswith("style") for child in node)


def _references(node: ElementTree.Element) -> Iterator[str]:
    for name, value in node.attrib.items():
        if name.endswith("href") and value.startswith("#"):
            yield value[1:]
        yield from re.findall(r"url\(#([^)]+)\)", value)


def _prefixed(value: str, key: str) -> str:
    return value.replace("url(#", f"url(#{key}-")


def _presentation(style: str, key: str) -> dict[str, str]:
    entries = (entry.partition(":") for entry in style.split(";") if entry.strip())
    found: dict[str, str] = {}
    for name, _, value in entries:
        found |= _property(name.strip(), value.strip(), key)
    return found


def _property(name: str, value: str, key: str) -> dict[str, str]:
    # The page's own font serves; matplotlib's list of families is long and repeated.
    if name == "font-family":
        return {}
    if name == "font":  # the shorthand of matplotlib before 3.10 is no presentation attribute
        match = re.match(r"(.*?)([\d.]+)px", value, re.DOTALL)
        if match is None:
            return {}
        bold = {"font-weight": "bold"} if re.search(r"bold|[6-9]00", match[1]) else {}
        return {"font-size": match[2]} | bold
    return {name: _prefixed(value, key).removesuffix("px")}


def _shorten(name: str, value: str) -> str:
    if name not in ("d", "x", "y", "transform", "width", "height"):
        return value
    value = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), value)
    return re.sub(r"\s+", " ", value).strip()


def log_axis(axis: Any, low: float, high: float) -> None:
    """A logarithmic axis from ``low`` to ``high`` with at most five labelled powers of ten."""
    ticker = require("matplotlib.ticker", "report")
    axis.axes.set(**{f"{axis.axis_name}scale": "log", f"{axis.axis_name}lim": (low, high)})
    first, last = floor(log10(low)), floor(log10(high))
    step = max(1, -(-(last - first) // 5))
    if last - first >= 2:
        ticks = [10.0**k for k in range(first, last + 1) if k % step == 0]
        axis.set_major_locator(ticker.FixedLocator(ticks))
        axis.set_major_formatter(ticker.FuncFormatter(lambda v, _: power_of_ten(round(log10(v)))))
    else:
        axis.set_major_locator(ticker.LogLocator(base=10, subs=(1, 2, 5)))
        axis.set_major_formatter(ticker.FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_minor_locator(ticker.NullLocator())


def end_labels(axes: Axes, entries: list[tuple[float, str, str]], size: float = 10.5) -> None:
    """Names at the right end of lines, moved apart so that none covers another.

    ``entries`` are (value at the end, text, colour); call it after the limits are set.
    """
    # Of the figure's height, in points of 1/72 inch, about three quarters are the axes.
    gap = 1.15 * size / (0.75 * 72 * axes.figure.get_figheight())
    transform = axes.transData + axes.transAxes.inverted()
    x = axes.get_xlim()[0]
    places = sorted(
        (float(transform.transform((x, value))[1]), text, colour) for value, text, colour in entries
    )
    heights = [place[0] for place in places]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    ceiling = 1.0
    for i in range(len(heights) - 1, -1, -1):
        heights[i] = min(heights[i], ceiling)
        ceiling = heights[i] - gap
    for height, (_, text, colour) in zip(heights, places, strict=True):
        axes.annotate(
            text,
            (1.0, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=size,
            annotation_clip=False,
        )
