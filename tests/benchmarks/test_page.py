"""The page says what the numbers say, and its figures and links are there."""

import json
import re

import pytest

from benchmarks.validity.page import page
from benchmarks.validity.page_sections import Sections, included
from benchmarks.validity.scores import score
from benchmarks.validity.tables import SECTIONS


@pytest.fixture(scope="module")
def scores(records):
    return json.loads(json.dumps(score(records, replicates=100)))


@pytest.fixture
def results(tmp_path, scores):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    return folder


def test_every_table_has_the_command_that_prints_it(results, tmp_path):
    pytest.importorskip("matplotlib")
    text = page(results, tmp_path / "docs")
    for name in SECTIONS:
        assert f"    python -m benchmarks.validity.scores {name}\n" in text
    figures = re.findall(r"\]\((images/[^)]+\.svg)\)", text)
    assert len(figures) == 5
    assert all((tmp_path / "docs" / name).exists() for name in figures)
    # Neither coverage nor the sections of others are there.
    assert text.count("Not measured yet.") == 3
    assert "None" not in text
    assert "nan" not in text


def test_sentences_follow_the_numbers(scores, tmp_path):
    worse = json.loads(json.dumps(scores))
    for row in worse["scores"]:
        if row["measure"] == "auroc" and row["statistic"] in ("ρ", "−T"):
            row["value"] = [0.7, 0.6, 0.8]
    for row in worse["ρ against"]:
        row["value"] = [-0.2, -0.3, -0.1]
    good, bad = ("\n".join(Sections(s, tmp_path).before_coverage()) for s in (scores, worse))
    assert "the goal of 0.95 is reached" in good
    assert "the goal of 0.99 is reached" in good
    assert "the goal of 0.95 is missed" in bad
    assert "the goal of 0.99 is missed" in bad
    assert "better than the raw cosine" in good
    assert "less well than the raw cosine" in bad


def test_an_included_section_keeps_its_order_of_headings_and_its_figures(tmp_path):
    there, docs = tmp_path / "results", tmp_path / "docs"
    there.mkdir()
    (there / "drawn.svg").write_text("<svg/>", encoding="utf-8")
    path = there / "part.md"
    path.write_text("# Part\n\nText.\n\n## One\n\n![d](drawn.svg)\n\n### Two\n", encoding="utf-8")
    (text,) = included(path, docs, docs.relative_to(tmp_path))
    assert re.findall(r"^#+ .*$", text, re.MULTILINE) == ["### One", "#### Two"]
    assert "](docs/drawn.svg)" in text
    assert included(there / "missing.md", docs, tmp_path) == ["Not measured yet."]
