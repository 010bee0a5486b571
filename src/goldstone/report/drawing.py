"""Drawings that stand alone as SVG files, in light and dark surroundings."""

from html import escape

PALETTE = ("#2f6fbf", "#c8552b", "#2a8f5a", "#8a5bb5", "#b0851a", "#46848f")
"""Colours that are told apart on white and on black."""

_STYLE = """
svg { --ink: #1d2430; --muted: #667085; --paper: #ffffff; --tint: #e8eef7; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6e9ef; --muted: #98a2b3; --paper: #14181f; --tint: #263145; }
}
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink); }
"""


def document(width: float, height: float, title: str, style: str, body: list[str]) -> str:
    """A whole SVG file of ``width`` × ``height`` pixels with a title for screen readers."""
    size = f'width="{width:.0f}" height="{height:.0f}"'
    view = f'viewBox="0 0 {width:.0f} {height:.0f}"'
    lines = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}{style}</style>",
        f'<rect {size} fill="var(--paper)"/>',
        *body,
        "</svg>",
    )
    return "\n".join(lines) + "\n"


def box(kind: str, place: complex, half_width: float, half_height: float, corner: float) -> str:
    """A rectangle of class ``kind`` with its middle at a place, with round corners."""
    x, y = place.real - half_width, place.imag - half_height
    size = f'width="{2 * half_width:.1f}" height="{2 * half_height:.1f}"'
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" {size} rx="{corner:g}"/>'


def text(x: float, y: float, words: str, attributes: str = "") -> str:
    """Words that start at x, unless a style says otherwise, with the baseline at y."""
    space = " " if attributes else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{space}{attributes}>{escape(words)}</text>'


def text_width(words: str, size: float = 13) -> float:
    """About how wide words are drawn, in pixels."""
    narrow = sum(letter in "()[]{},.;:ijlt1 ⟨⟩|'" for letter in words)
    return size * (0.62 * (len(words) - narrow) + 0.38 * narrow)
