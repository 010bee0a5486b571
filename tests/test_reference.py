"""docs/reference.md is what docs/make_reference.py makes of the source."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "reference.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def make_reference():
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(make_reference):
    assert make_reference.page() == PAGE, "run: python docs/make_reference.py"


@pytest.mark.parametrize(("package", "text"), SECTIONS, ids=[package for package, _ in SECTIONS])
def test_names_are_those_that_can_be_imported(package, text):
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", text, re.MULTILINE)
    module = importlib.import_module(package)
    assert {name for name, _, _ in rows} == set(module.__all__)
    for name, kind, line in rows:
        assert hasattr(module, name)
        # Longer lines are no summaries: mend the docstring.
        assert 5 < len(line) < 250, (name, line)
        if kind in ("class", "function"):
            assert callable(getattr(module, name))


def test_first_sentences(make_reference):
    first = make_reference.first_sentence
    assert first("One sentence\nover two lines. And more.\n\nElse.") == (
        "One sentence over two lines."
    )
    assert first("See :func:`~goldstone.core.require`, ``x y``.") == "See `require`, `x y`."
    assert first("A choice:\n\n``a``  one.") == "A choice."
