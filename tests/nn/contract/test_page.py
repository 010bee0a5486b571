"""docs/layers.md is what docs/make_layers.py makes of the catalogue."""

import importlib.util
from pathlib import Path

from tests.nn.contract.catalogue import ENTRIES

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_current():
    spec = importlib.util.spec_from_file_location("make_layers", DOCS / "make_layers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (DOCS / "layers.md").read_text(encoding="utf-8")
    assert module.page() == page, "run: python docs/make_layers.py"
    for entry in ENTRIES:
        assert page.count(f"| `{entry.layer.__name__}` |") == 1
