"""What probes return is plain data: it fits into audit.json and comes back the same."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldstone.auditing import (
    BreakingKinds,
    ConnectingPath,
    DataSymmetry,
    DistributionShift,
    EquivarianceErrors,
    LayerCoherence,
    LieDerivative,
    LieDerivativeByLayer,
    LossLandscape,
    OrbitMetric,
    OrbitSpectrum,
    Stiffness,
    SymmetryBasin,
    TaughtOnce,
    UnrolledCoherence,
)
from goldstone.core import from_json, to_json

RESULTS = (
    BreakingKinds,
    ConnectingPath,
    DataSymmetry,
    DistributionShift,
    EquivarianceErrors,
    LayerCoherence,
    LieDerivative,
    LieDerivativeByLayer,
    LossLandscape,
    OrbitMetric,
    OrbitSpectrum,
    Stiffness,
    SymmetryBasin,
    TaughtOnce,
    UnrolledCoherence,
)


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.__name__)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_result_survives_a_file(kind: type, data: st.DataObject) -> None:
    """With NaN, infinities, empty tuples and missing statistics, drawn from the type hints."""
    result = data.draw(st.from_type(kind))
    text = json.dumps(to_json(result), allow_nan=False)
    again = from_json(kind, json.loads(text))
    assert isinstance(again, kind)
    assert json.dumps(to_json(again), allow_nan=False) == text
