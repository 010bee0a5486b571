"""Templates, filters and the security policy of a page."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from goldstone.core import require
from goldstone.report import marks, numbers

_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """The page that ``template`` makes of ``values``, complete and self-contained.

    Everything is escaped unless it is made by this package as markup. The page's policy allows
    its own style sheet, by hash, and pictures inside the page; nothing else, no script, no request.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    jinja2 = require("jinja2", "report")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": numbers.number,
        "interval": numbers.interval,
        "probability": numbers.probability,
        "percentage": numbers.percentage,
        "seconds": numbers.seconds,
        "sign": marks.answer_sign,
        "metric": marks.metric_title,
        "anchor": anchor,
    }
    environment.globals |= {
        "label_mark": marks.label_mark,
        "labels": marks.LABELS,
        "series_colours": marks.SERIES,
    }
    # Blank lines are closed up before the hash is taken, as they are in the page.
    style = _close_up((_TEMPLATES / "style.css").read_text(encoding="utf-8").strip())
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    markup = require("markupsafe", "report").Markup
    page = environment.get_template(template).render(
        style=markup(style), policy=policy, markup=markup, **values
    )
    return _close_up(page)


def _close_up(text: str) -> str:
    return re.sub(r"\n\s*\n", "\n", text)


def anchor(text: str) -> str:
    """An identifier for links inside a page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
