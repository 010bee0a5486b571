"""The page that compares audits."""

from dataclasses import replace
from pathlib import Path

import pytest

from goldstone.auditing import AuditResult
from goldstone.core import InputError
from goldstone.report import write_index


def test_audits_stand_side_by_side(
    complete: AuditResult, minimal: AuditResult, boosts: AuditResult, tmp_path: Path
) -> None:
    audits = {"aniso": complete, "bare": minimal, "a b": boosts}
    for name, result in audits.items():
        result.save(tmp_path / name)
    path = write_index(tmp_path, [(f"model {name}", name) for name in audits])
    assert path == tmp_path / "index.html"
    text = path.read_text(encoding="utf-8")
    for link in ("aniso/audit.html", "bare/audit.html", "a%20b/audit.html"):
        assert f'href="{link}"' in text
    for words in ("model aniso", "⟨r², s⟩", "sr³", "boost(0.4, 0)", "assumed, not verified"):
        assert words in text
    # The worst element of the first audit with its loss ratio, and the bound at most of the third.
    assert "log loss ratio 2.32" in text
    assert "– … boosts along (1,0), tested up to 0.4" in text
    assert "https://" not in text


def test_the_page_is_the_same_each_time(complete: AuditResult, tmp_path: Path) -> None:
    complete.save(tmp_path / "one")
    first = write_index(tmp_path, [("one", "one")]).read_bytes()
    assert write_index(tmp_path, [("one", "one")]).read_bytes() == first


def test_names_are_escaped(hostile: AuditResult, tmp_path: Path) -> None:
    renamed = replace(hostile, model=hostile.model)
    renamed.save(tmp_path / "x")
    assert "<script" not in write_index(tmp_path, [(hostile.model.name, "x")]).read_text("utf-8")


def test_no_audit_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one audit"):
        write_index(tmp_path, [])


def test_a_missing_audit_is_an_input_error(complete: AuditResult, tmp_path: Path) -> None:
    complete.save(tmp_path / "one")
    with pytest.raises(InputError, match="no audit in"):
        write_index(tmp_path, [("one", "one"), ("two", "two")])
    assert not (tmp_path / "index.html").exists()
