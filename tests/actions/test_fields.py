"""Field layouts and their declaration."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS, Context, Field, FieldLayout
from goldstone.core import InputError

FIBRES = ("scalar", "pseudoscalar", "vector", "velocity", "density", "momentum", "energy")
layouts = st.lists(
    st.builds(
        Field,
        st.text(min_size=1),
        st.sampled_from(FIBRES),
        st.sampled_from([(0, 1), (1, 0)]),
        st.tuples(st.sampled_from([1, -1]), st.sampled_from([1, -1])),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda field: field.name,
).map(lambda fields: FieldLayout(tuple(fields)))


@given(layouts)
def test_round_trip(layout):
    assert FieldLayout.from_json(json.loads(json.dumps(layout.to_json()))) == layout
    assert pickle.loads(pickle.dumps(layout)) == layout
    assert len(layout.channel_names()) == layout.channels


@given(layouts)
def test_slices_cover_the_channels_in_order(layout):
    covered = [k for _, channels in layout.slices() for k in range(99)[channels]]
    assert covered == list(range(layout.channels))


def test_ready_layouts():
    assert NAVIER_STOKES_FIELDS.channel_names() == ("velocity 1", "velocity 2")
    assert EULER_FIELDS.channel_names() == ("density", "momentum 1", "momentum 2", "energy")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Field("u", "velocty"), "field 'u': unknown fibre 'velocty'; expected one of"),
        (lambda: Field("u", "velocity", axes=(0, 0)), r"axes must be \(0, 1\) or \(1, 0\)"),
        (lambda: Field("u", "velocity", signs=(1, 0)), "signs must be ±1 twice"),
        (lambda: Field("u", "velocity", signs=(1,)), "signs must be ±1 twice"),
        (lambda: FieldLayout(()), "one or more fields"),
        (lambda: FieldLayout((Field("u", "scalar"),) * 2), "distinct names"),
        (lambda: FieldLayout.from_json([{"name": "u"}]), r"got the keys \['name'\]"),
        (
            lambda: FieldLayout.from_json([{"name": "u", "fibre": "scalar", "axis": 1}]),
            "declared by 'name' and 'fibre'",
        ),
        *(
            (
                lambda key=key, value=value: FieldLayout.from_json(
                    [{"name": "u", "fibre": "velocity", key: value}]
                ),
                f"field 'u': {key} must be two whole numbers",
            )
            for key in ("axes", "signs")
            for value in (1, [0, "x"], [0, 1, 0], [True, 1], "01")
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_context_measures_time_from_the_input():
    context = Context(dt=0.5, lengths=(2.0, 1.0), parameters={"viscosity": 1e-3})
    assert context.elapsed == 0.0
    assert context.at(3).elapsed == 1.5
    assert context.at(3).parameters == context.parameters
    assert hash(context) == hash(pickle.loads(pickle.dumps(context)))
