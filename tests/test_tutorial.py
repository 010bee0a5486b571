"""What the blocks of docs/groups.md print is what the page says; its pictures are as made."""

import io
import re
import xml.etree.ElementTree as ElementTree
from contextlib import redirect_stdout
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "groups.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def test_outputs_are_those_on_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    blocks = BLOCK.findall(PAGE)
    assert len(blocks) == 20
    for code, expected in blocks:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, "docs/groups.md", "exec"), namespace)
        assert _plain(printed.getvalue()) == _plain(expected), code


def _plain(text: str) -> str:
    """Words alone; whether a zero is printed as -0. is rounding."""
    return " ".join(re.sub(r"-(0\.0*)(?!\d)", r"\1", text).split())


@pytest.mark.parametrize("name", re.findall(r"\]\((images/[^)]+)\)", PAGE))
def test_pictures_are_there(name):
    root = ElementTree.parse(DOCS / name).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (DOCS / name).stat().st_size < 30_000
