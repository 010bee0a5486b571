"""What resumable studies share: runs kept in a JSON file, intervals over seeds, panels of a figure.

Used by cost_of_constraint.py, flow_emulators*.py and rotated_mnist*.py.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import t

from goldstone.core import replacing
from goldstone.report.marks import PAPER
from goldstone.report.svg import Axes, inline_svg

RESULTS = Path(__file__).parent / "results"


class Runs:
    """Results by name in one JSON file, written whole after each: what is there is not run again.

    A run whose ``settings`` differ from those asked for is run anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def get(self, name: str, settings: Any, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``work`` found, now or earlier."""
        settings = json.loads(json.dumps(settings))
        kept = self.found.get(name)
        if kept is None or kept["settings"] != settings:
            kept = {"settings": settings, **work()}
            self.put(name, kept)
            print(name, flush=True)
        return kept

    def put(self, name: str, values: Any) -> None:
        """Keep something under a name and write the file."""
        self.found[name] = values
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.found, ensure_ascii=False, indent=0)
        write_text(self.path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half the width of its 95 % t-interval; nan where there are too few values."""
    n = len(values)
    if not n:
        return math.nan, math.nan
    mean = math.fsum(values) / n
    if n < 2:
        return mean, math.nan
    variance = math.fsum((v - mean) ** 2 for v in values) / (n - 1)
    return mean, float(t.ppf(0.975, n - 1)) * math.sqrt(variance / n)


def shown(values: Sequence[float], digits: int = 3) -> str:
    """Mean ± half the width of its 95 % interval over seeds, both with as many decimals."""
    mean, half = interval(values)
    if math.isnan(mean):
        return "–"
    if max(abs(mean), 0.0 if math.isnan(half) else half) < 1e-12:
        return "0"
    scale = max(abs(mean), 1e-12)
    places = max(0, digits - 1 - math.floor(math.log10(scale)))
    if places > 5:
        return f"{mean:.{digits - 1}e}" + ("" if math.isnan(half) else f" ± {half:.0e}")
    return f"{mean:.{places}f}" + ("" if math.isnan(half) else f" ± {half:.{places}f}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def figure(
    title: str,
    panels: Sequence[Callable[[Axes], None]],
    *,
    columns: int = 2,
    width: int = 420,
    height: int = 310,
) -> str:
    """An SVG document with the axes that each of ``panels`` fills, row by row."""
    rows = -(-len(panels) // columns)
    whole, tall = columns * width, rows * height
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{tall}" '
            f'viewBox="0 0 {whole} {tall}" role="img" font-family="system-ui, sans-serif">'
        ),
        f"<title>{title}</title>",
        f'<rect width="{whole}" height="{tall}" fill="{PAPER}"/>',
    ]
    for k, draw in enumerate(panels):
        place = f'<svg x="{k % columns * width}" y="{k // columns * height}"'
        panel = inline_svg(f"p{k}", title, draw, width, height)
        lines.append(panel.replace("<svg", place, 1))
    return "\n".join([*lines, "</svg>", ""])
