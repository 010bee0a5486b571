"""Results as JSON and back."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import InputError, Statistic, from_json, to_json

finite = st.floats(allow_nan=False, allow_infinity=False)
optional = st.none() | finite


@dataclass(frozen=True)
class Inner:
    label: Literal["exact", "learned"]
    statistic: Statistic
    pair: tuple[float, float]


@dataclass(frozen=True)
class Outer:
    name: str
    count: int
    flag: bool
    inners: tuple[Inner, ...]
    by_metric: Mapping[str, Statistic]
    note: str | None
    anything: Any = None
    history: tuple[tuple[int, ...], ...] = ()
    seeds: dict[str, int] = field(default_factory=dict)


statistics = st.builds(
    Statistic, optional, optional, optional, st.integers(0, 10**9), optional, optional, optional
)
inners = st.builds(
    Inner, st.sampled_from(["exact", "learned"]), statistics, st.tuples(finite, finite)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
outers = st.builds(
    Outer,
    name=st.text(),
    count=st.integers(),
    flag=st.booleans(),
    inners=st.lists(inners, max_size=3).map(tuple),
    by_metric=st.dictionaries(st.text(), statistics, max_size=3),
    note=st.none() | st.text(),
    anything=json_values,
    history=st.lists(st.lists(st.integers(), max_size=3).map(tuple), max_size=3).map(tuple),
    seeds=st.dictionaries(st.text(), st.integers(), max_size=3),
)


@given(outers)
def test_round_trip_through_json_text(result):
    text = json.dumps(to_json(result), allow_nan=False)
    assert from_json(Outer, json.loads(text)) == result


def test_nan_and_infinity_become_null():
    statistic = Statistic(float("nan"), float("-inf"), 1.0)
    assert from_json(Statistic, to_json(statistic)) == Statistic(None, None, 1.0)


def test_a_number_that_was_not_finite_is_read_as_nan():
    found = from_json(Inner, GOOD | {"pair": [0.0, to_json(float("inf"))]})
    assert math.isnan(found.pair[1])


def test_unknown_keys_are_ignored_and_defaults_filled_in():
    data = to_json(Inner("exact", Statistic(1.0), (0.0, 1.0)))
    data["a later version's key"] = 1
    del data["statistic"]["n"]
    assert from_json(Inner, data) == Inner("exact", Statistic(1.0), (0.0, 1.0))


def test_whole_numbers_are_read_as_floats():
    assert from_json(Statistic, {"estimate": 1}).estimate == 1.0
    assert isinstance(from_json(Statistic, {"estimate": 1}).estimate, float)


GOOD = {"label": "exact", "statistic": {"estimate": 1.0}, "pair": [0.0, 1.0]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "guessed"}, r"audit\.label: expected one of"),
        ({"statistic": {}}, r"audit\.statistic: the key 'estimate' is missing"),
        ({"statistic": {"estimate": "1"}}, r"audit\.statistic\.estimate: expected float"),
        ({"statistic": {"estimate": 1.0, "n": True}}, r"audit\.statistic\.n: expected int"),
        ({"statistic": [1.0]}, r"audit\.statistic: expected an object, got list"),
        ({"pair": [0.0]}, r"audit\.pair: expected a list of 2, got 1"),
        ({"pair": [0.0, "x"]}, r"audit\.pair\[1\]: expected float"),
        ({"pair": 3}, r"audit\.pair: expected a list"),
    ],
)
def test_errors_name_the_place(change, message):
    with pytest.raises(InputError, match=message):
        from_json(Inner, GOOD | change, "audit")


def test_a_result_holds_plain_values_only():
    with pytest.raises(TypeError, match="object"):
        to_json({"x": object()})
