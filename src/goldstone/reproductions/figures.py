"""Figures of a reproduction: the report's own drawings as files that stand alone."""

import re
from collections.abc import Sequence

from goldstone.report.marks import PAPER

_FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
_GAP = 16.0


def side_by_side(panels: Sequence[str], columns: int = 2) -> str:
    """Panels as :mod:`goldstone.report` draws them (``<svg …>``), in rows, as one SVG file.

    Empty panels, of which nothing was measured, are left out; if all are, the result is empty.
    """
    sized = [(panel, *_size(panel)) for panel in panels if panel]
    if not sized:
        return ""
    rows = [sized[start : start + columns] for start in range(0, len(sized), columns)]
    width = max(sum(w + _GAP for _, w, _ in row) for row in rows) + _GAP
    body, y = [], _GAP
    for row in rows:
        x = _GAP
        for panel, w, _ in row:
            body.append(panel.replace("<svg ", f'<svg x="{x:g}" y="{y:g}" ', 1))
            x += w + _GAP
        y += max(h for *_, h in row) + _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width:g} {y:g}" width="{width:g}" height="{y:g}" '
        f'font-family="{_FONT}">'
    )
    paper = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    return "\n".join((head, paper, *body, "</svg>")) + "\n"


def _size(panel: str) -> tuple[float, float]:
    found = re.match(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"', panel)
    if found is None:
        raise ValueError("expected a drawing that begins with <svg …> and says its size")
    return float(found[1]), float(found[2])
