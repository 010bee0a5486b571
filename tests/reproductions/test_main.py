import importlib.util
import sys

import pytest

from goldstone.core import InputError
from goldstone.reproductions import REPRODUCTIONS, reproduce
from goldstone.reproductions.__main__ import main


def test_the_list(capsys):
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in REPRODUCTIONS)


def test_help_names_them_all(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in REPRODUCTIONS)


def test_every_listed_module_is_there():
    for name in REPRODUCTIONS:
        assert importlib.util.find_spec(f"goldstone.reproductions.{name}") is not None


def test_an_unknown_name_is_one_line(capsys, tmp_path):
    assert main(["no_such", "--out", str(tmp_path)]) == 2
    assert "expected one of" in capsys.readouterr().err
    with pytest.raises(InputError, match="unknown reproduction"):
        reproduce("no_such", tmp_path)


def test_without_a_name_the_list_is_shown(capsys):
    assert main([]) == 2
    assert "loss_landscape_geometry" in capsys.readouterr().out


def test_results_are_written_and_told(found, monkeypatch, capsys, tmp_path):
    class Module:
        @staticmethod
        def reproduce(out, *, quick=False, progress=None):
            assert quick
            assert out.name == "loss_landscape_geometry-quick-work"
            return found

    place = "goldstone.reproductions.loss_landscape_geometry"
    monkeypatch.setitem(sys.modules, place, Module)
    assert main(["loss_landscape_geometry", "--quick", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "example.md").exists()
    assert "1 reproduced, 1 not tested" in capsys.readouterr().out
