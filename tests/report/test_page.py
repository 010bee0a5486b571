"""The page says what the audit found, is well formed, loads nothing and is the same each time."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldstone.auditing import AuditResult
from goldstone.core import InputError
from goldstone.report import write_report

Save = Callable[[AuditResult], Path]

EVERY = ("complete", "minimal", "boosts", "hostile", "many", "probed", "undefined", "large")


@pytest.mark.parametrize("name", EVERY)
def test_every_page_is_well_formed_and_loads_nothing(
    name: str, request: pytest.FixtureRequest, page_of: Any
) -> None:
    text, page = page_of(request.getfixturevalue(name))
    assert len(set(page.ids)) == len(page.ids)
    for link in page.links:
        assert link.startswith(("#", "data:")), link
        if link.startswith("#"):
            assert link[1:] in page.ids
    for inner in re.findall(r"url\(([^)]*)\)", text):
        assert inner.startswith("#")
        assert inner[1:] in page.ids
    assert "http://" not in text.replace("http://www.w3.org/", "")
    assert "https://" not in text
    assert "@import" not in text
    assert not any(tag in ("script", "iframe", "object", "form") for tag, _ in page.tags)
    assert not any("style" in a or any(k.startswith("on") for k in a) for _, a in page.tags)
    assert len(text) < 3_000_000
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") is not None)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", EVERY)
def test_every_picture_has_words_for_those_who_cannot_see_it(
    name: str, request: pytest.FixtureRequest, page_of: Any
) -> None:
    _, page = page_of(request.getfixturevalue(name))
    assert all(a.get("alt") for tag, a in page.tags if tag == "img")
    for tag, attributes in page.tags:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"


def test_all_parts_stand_in_order(complete: AuditResult, page_of: Any) -> None:
    _, page = page_of(complete)
    assert [name for name in page.text if name] == [
        "verdict", "fields", "forward", "transport", "elements", "labels", "shifts", "subgroups",
        "history", "rollout", "controls", "precheck", "provenance", "glossary", "numbers",
    ]  # fmt: skip


def test_the_verdict_comes_first_and_complete(complete: AuditResult, page_of: Any) -> None:
    _, page = page_of(complete)
    verdict = re.sub(r"\s+", " ", page.text["verdict"])
    assert complete.verdict.summary in verdict
    assert "⟨r², s⟩ {e, r², s, sr²}" in verdict
    assert "{r, r³, sr, sr³}" in verdict
    assert "> 99 %" in verdict
    assert "97 %" in verdict
    assert "0.0371" in verdict


def test_an_assumed_symmetry_is_said_on_the_first_line(minimal: AuditResult, page_of: Any) -> None:
    _, page = page_of(minimal)
    words = page.whole[page.whole.index("Assumed") :]
    assert words.startswith("Assumed, not verified. No solver was given.")
    assert page.text[""].split("symmetry audit", 1)[1].split()[:2] == ["!", "Assumed,"]
    assert "No skill." in page.text["verdict"]


def test_a_forced_refusal_is_said_on_the_first_line(boosts: AuditResult, page_of: Any) -> None:
    _, page = page_of(boosts)
    assert "Refused by the precheck, and audited because it was forced." in page.text[""]
    assert "a Lie group" in page.text["verdict"]
    assert "not invariant" in page.text["precheck"]


def test_every_number_of_every_element_appears(complete: AuditResult, page_of: Any) -> None:
    _, page = page_of(complete)
    table = page.text["elements"]
    # Written out by hand from the fixture: r is at place 0, r² at place 1.
    for number in ("0.310", "1.70", "8.30", "2.31", "0.270", "0.0213", "0.0230", "0.560"):
        assert number in table
    for number in ("0.780", "0.600", "0.490", "0.215", "0.183", "0.539", "0.900", "0.410"):
        assert number in table
    for probability in ("0.0005", "0.41", "0.0035", "0.82"):
        assert probability in table
    full = page.text["numbers"]
    for element in complete.elements:
        assert element.name in table
        for statistic in (element.equivariance_error, *element.rollout_equivariance_error):
            for value in (statistic.estimate, statistic.low, statistic.median, statistic.q3):
                assert f"{value:#.4g}" in full


def test_labels_controls_checks_and_provenance_appear(complete: AuditResult, page_of: Any) -> None:
    _, page = page_of(complete)
    for label in ("internalised", "covered", "latent", "broken", "undetermined"):
        assert label in page.text["labels"]
    assert "reversed velocity" in page.text["controls"]
    assert "3.10" in page.text["controls"]
    for words in (
        "divergence",
        "swapped channels",
        "4.10×10⁻⁷",
        "composition",
        "nothing suspicious",
    ):
        assert words in page.text["precheck"]
    for words in ("a" * 64, "b" * 64, "95 234", "torch 2.13.0", "tolerance = 0.1", "1 min 1 s"):
        assert words in page.text["provenance"]


def test_the_lattice_marks_every_subgroup(complete: AuditResult, page_of: Any) -> None:
    _, page = page_of(complete)
    titles = page.text["subgroups"]
    assert "D4, order 8: e, r, r², r³, s, sr, sr², sr³; holds: no, transports: no" in titles
    assert "⟨r², s⟩, order 4: e, r², s, sr²; holds: yes, transports: yes" in titles
    assert titles.count("holds:") == 10


def test_pictures_stand_side_by_side(complete: AuditResult, page_of: Any) -> None:
    _, page = page_of(complete)
    pictures = [a for tag, a in page.tags if tag == "img" and "for element" in (a["alt"] or "")]
    assert len(pictures) == 4 * (1 + 7)
    assert all((a["src"] or "").startswith("data:image/png;base64,") for a in pictures)
    fields = page.text["fields"]
    for symbol in ("g·x", "f(g·x)", "g·f(x)", "f(g·x) − g·f(x)", "f(x) − y"):
        assert symbol in fields


def test_compressible_flows_show_density_and_vorticity(boosts: AuditResult, page_of: Any) -> None:
    _, page = page_of(boosts)
    assert "vorticity of momentum / density" in page.text["fields"]
    assert "0.0100" in page.text["fields"]


@pytest.mark.parametrize("gone", ["display", "shift", "torus", "cell"])
def test_parts_without_arrays_are_left_out(gone: str, complete: AuditResult, page_of: Any) -> None:
    arrays = {k: v for k, v in complete.arrays.items() if not k.startswith(gone)}
    # What takes long to draw and is not at stake is left out too.
    _, page = page_of(replace(complete, arrays=arrays, elements=complete.elements[:2], history=()))
    assert ("fields" in page.text) == (gone != "display")
    shifts = page.text["shifts"]
    assert ("The whole torus" in shifts) == (gone != "torus")
    assert ("One stride cell" in shifts and "within one stride cell" in shifts) == (gone != "cell")
    assert ("along x; dashed" in shifts) == (gone != "shift")


def test_the_bare_audit_leaves_out_what_it_lacks(minimal: AuditResult, page_of: Any) -> None:
    _, page = page_of(minimal)
    missing = {"fields", "forward", "transport", "shifts", "subgroups", "history", "controls"}
    assert not missing & set(page.text)
    assert "the model has no skill" in page.text["elements"]


def test_hostile_names_stay_text(hostile: AuditResult, page_of: Any) -> None:
    text, page = page_of(hostile)
    assert "<script" not in text
    assert 'alert("x")' not in text.replace("&#34;", "'")
    assert hostile.model.name in page.whole
    assert hostile.elements[0].name in page.text["elements"]


def test_the_same_audit_gives_the_same_bytes(
    complete: AuditResult, rendered: Callable[[AuditResult], Path]
) -> None:
    path = rendered(complete)
    first = path.read_bytes()
    assert write_report(path.parent) == path
    assert path.read_bytes() == first


def test_nothing_but_the_page_is_written(
    complete: AuditResult, rendered: Callable[[AuditResult], Path]
) -> None:
    folder = rendered(complete).parent
    assert sorted(p.name for p in folder.iterdir()) == ["audit.html", "audit.json", "audit.npz"]


def test_a_damaged_audit_is_an_input_error(complete: AuditResult, saved: Save) -> None:
    folder = saved(complete)
    text = (folder / "audit.json").read_text(encoding="utf-8")
    (folder / "audit.json").write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        write_report(folder)
    assert not (folder / "audit.html").exists()


def test_a_truncated_array_file_is_an_input_error(complete: AuditResult, saved: Save) -> None:
    folder = saved(complete)
    data = (folder / "audit.npz").read_bytes()
    (folder / "audit.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="damaged"):
        write_report(folder)


def test_a_missing_audit_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"audit\.json is missing"):
        write_report(tmp_path)


@pytest.mark.parametrize("name", ["display_prediction", "shift_axis_log_loss_ratio"])
def test_an_array_of_another_shape_is_named(name: str, complete: AuditResult, saved: Save) -> None:
    arrays = dict(complete.arrays) | {name: np.zeros((3, 5))}
    with pytest.raises(InputError, match=name):
        write_report(saved(replace(complete, arrays=arrays)))
