"""Names in figures: short, and still told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldstone.report.names import short_names, shorten


@pytest.mark.parametrize(
    ("names", "most", "expected"),
    [
        (["r", "sr²"], 12, ["r", "sr²"]),
        (["translation(0.25,0)", "translation(10,0.5)"], 12, ["…(0.25,0)", "…(10,0.5)"]),
        (
            ["encoder.block.1.attention.output", "encoder.block.20.attention.output"],
            22,
            ["…1.attention.output", "…20.attention.output"],
        ),
        (
            ["encoder.block.1.attention.output", "encoder.block.20.attention.output"],
            12,
            ["…block.1…", "…block.20…"],
        ),
        (["down.0.conv", "a.very.long.name.of.conv"], 12, ["down.0…", "a.very…e.of…"]),
        (["a" * 20], 7, ["aaa…aaa"]),
    ],
)
def test_what_all_names_share_goes_first(names: list[str], most: int, expected: list[str]) -> None:
    assert short_names(names, most) == expected


@given(st.lists(st.text("ab.(1", max_size=30), max_size=6), st.integers(3, 20))
def test_names_are_never_longer_than_asked(names: list[str], most: int) -> None:
    found = short_names(names, most)
    assert len(found) == len(names)
    assert all(len(name) <= most for name in found)
    if all(len(name) <= most for name in names):
        assert found == names


@given(st.text(), st.integers(3, 20))
def test_both_ends_of_a_name_stay(name: str, most: int) -> None:
    short = shorten(name, most)
    assert len(short) <= most
    assert short[:1] == name[:1]
    assert short[-1:] == name[-1:]
