"""Checks of input name what was expected and what came."""

import pytest
import torch

from goldstone.core import (
    GoldstoneError,
    InputError,
    MissingExtraError,
    SilentProgress,
    check_finite,
    check_grid_fields,
    check_square_grid,
    require,
)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_first_bad_number_is_named(value):
    x = torch.zeros(2, 3, 4)
    check_finite(x, "fields")
    x[1, 2, 0] = value
    x[1, 2, 1] = value
    with pytest.raises(InputError, match=r"fields: .* got 2 .* of 24 .*\(1, 2, 0\)"):
        check_finite(x, "fields")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(2, 8, 8), r"shape \(batch, channel, X, Y\), got \(2, 8, 8\)"),
        (torch.zeros(1, 2, 8, 8, dtype=torch.int64), "floating-point fields, got torch.int64"),
        (torch.zeros(1, 3, 8, 8), "expected 2 channels .* got 3"),
    ],
)
def test_fields_of_the_wrong_kind_are_refused(x, message):
    with pytest.raises(InputError, match=message):
        check_grid_fields(x, 2, "fields")


def test_square_grid():
    check_square_grid((8, 8), "grid")
    with pytest.raises(InputError, match=r"8×6.*d2"):
        check_square_grid((8, 6), "grid")


def test_errors_are_both_ours_and_the_standard_ones():
    assert issubclass(InputError, GoldstoneError)
    assert issubclass(InputError, ValueError)
    assert issubclass(MissingExtraError, ImportError)


def test_a_missing_package_names_its_extra():
    with pytest.raises(MissingExtraError, match=r"pip install 'goldstone\[report\]'"):
        require("surely_no_such_package.submodule", "report")
    assert require("json", "report").dumps(1) == "1"


def test_a_failure_inside_an_installed_package_is_its_own(tmp_path, monkeypatch):
    (tmp_path / "broken_inside.py").write_text("import surely_no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="surely_no_such_package") as caught:
        require("broken_inside", "report")
    assert not isinstance(caught.value, MissingExtraError)


def test_silent_progress_is_a_progress(capsys):
    with SilentProgress().task("train", 3) as task:
        task.advance()
        task.advance(2, note="loss 1")
    assert capsys.readouterr() == ("", "")
