"""The results kept in the repository are what their pages say."""

from pathlib import Path

import pytest

from goldstone.reproductions import REPRODUCTIONS, Reproduction, markdown
from goldstone.reproductions.page import figure_file

FOLDER = Path(__file__).parents[2] / "benchmarks" / "results" / "reproductions"
RESULTS = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_page_and_figures_belong_to_the_numbers(path):
    found = Reproduction.load(path)
    assert found.name in REPRODUCTIONS
    assert not found.provenance.quick
    assert path.with_suffix(".md").read_text(encoding="utf-8") == markdown(found)
    for figure in found.figures:
        assert (FOLDER / figure_file(found, figure)).exists()
