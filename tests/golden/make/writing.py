"""Writes golden values as JSON: what fits on a line stays on one, floats keep all digits."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent
WIDTH = 110


def write(name: str, about: dict[str, Any], **content: Any) -> None:
    """Write ``FOLDER/name`` with the conventions under "about" first."""
    text = _layout({"about": about, **content}, "") + "\n"
    (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(text) / 1024:.0f} KiB")


def _layout(value: Any, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list | tuple) or not value:
        return line
    deeper = indent + " "
    if isinstance(value, dict):
        rows = [
            f"{deeper}{json.dumps(key, ensure_ascii=False)}: {_layout(item, deeper)}"
            for key, item in value.items()
        ]
        opening, closing = "{", "}"
    else:
        rows = [deeper + row for row in _filled([_layout(item, deeper) for item in value], deeper)]
        opening, closing = "[", "]"
    return f"{opening}\n" + ",\n".join(rows) + f"\n{indent}{closing}"


def _filled(items: list[str], indent: str) -> list[str]:
    """Items of a list joined into lines as long as they fit."""
    lines: list[str] = []
    for item in items:
        both = f"{lines[-1]}, {item}" if lines else ""
        if lines and "\n" not in both and len(indent) + len(both) <= WIDTH:
            lines[-1] = both
        else:
            lines.append(item)
    return lines
