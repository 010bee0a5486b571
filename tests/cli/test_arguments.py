import pytest

from goldstone.cli.arguments import first_to_last, grid_size, key_values, two_lengths
from goldstone.core import InputError


def test_values_are_read_as_python_then_json_then_text() -> None:
    entries = ["a=16", "b=[4, 4]", "c=None", "d=true", "e=0.5", "f=gelu", "g='x=y'", "h=1=2"]
    assert key_values(entries) == {
        "a": 16,
        "b": [4, 4],
        "c": None,
        "d": True,
        "e": 0.5,
        "f": "gelu",
        "g": "x=y",
        "h": "1=2",
    }
    assert key_values(None) == {}


def test_values_are_never_run() -> None:
    assert key_values(["a=__import__('os').getpid()"]) == {"a": "__import__('os').getpid()"}


@pytest.mark.parametrize(
    ("entries", "message"),
    [(["a"], "KEY=VALUE"), (["1=2"], "KEY=VALUE"), (["a=1", "a=2"], "twice")],
)
def test_refuses_what_is_no_key_and_value(entries: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        key_values(entries)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0:24", slice(0, 24)), ("24:", slice(24, None)), (":8", slice(0, 8)), (None, None)],
)
def test_ranges(text: str | None, expected: slice | None) -> None:
    assert first_to_last(text) == expected


@pytest.mark.parametrize("text", ["5", "3:2", "-1:4", "a:b", "4:4", ""])
def test_refuses_what_is_no_range(text: str) -> None:
    with pytest.raises(InputError, match="FIRST:LAST"):
        first_to_last(text)


def test_sizes() -> None:
    assert grid_size("64") == (64, 64)
    assert grid_size("64x32") == grid_size("64×32") == (64, 32)
    assert two_lengths("2") == (2.0, 2.0)
    assert two_lengths("2,1") == (2.0, 1.0)
    assert two_lengths(None) is None


@pytest.mark.parametrize("text", ["", "0", "4x", "1x2x3", "-4", "a"])
def test_refuses_what_is_no_grid(text: str) -> None:
    with pytest.raises(InputError, match="--grid"):
        grid_size(text)


@pytest.mark.parametrize("text", ["", "a", "1,2,3"])
def test_refuses_what_are_no_lengths(text: str) -> None:
    with pytest.raises(InputError, match="--lengths"):
        two_lengths(text)
