"""The words about layers whose action is fitted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from goldstone.auditing import AuditResult, EquivarianceErrors
from goldstone.core import Statistic
from goldstone.report.findings_equivariance import equivariance_finding
from goldstone.report.layer_profile import layer_lead


def profile(
    result: AuditResult,
    values: Sequence[float | None],
    source: Literal["declared", "inferred", "fitted"] = "fitted",
) -> EquivarianceErrors:
    """Layers a, b, c, … with these errors under every element."""
    found = result.probes.equivariance
    assert found is not None
    layers = {name: Statistic(value) for name, value in zip("abcdef", values, strict=False)}
    return replace(
        found,
        elements=tuple(replace(e, layers=layers) for e in found.elements),
        layer_actions=dict.fromkeys(layers, source),
        layer_nulls=dict.fromkeys(layers, Statistic(1.0)) if source == "fitted" else {},
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1e-7, 2e-5, 1e-6], "All 3 layers measured are equivariant up to the best linear map"),
        (
            [1e-7, None, 1e-6, 0.3, 0.2],
            (
                "Inside, all is equivariant up to the best linear map of channels up to layer c "
                "(2 layers), and layer d is the first to break it (0.300 in the mean over "
                "elements), where the error is also largest."
            ),
        ),
        (
            [0.2, 0.25, 0.1, 0.6, 0.65],
            (
                "Up to the best linear map of channels, equivariance fails from the first layer "
                "measured, layer a (0.200 in the mean over elements); the error rises most at "
                "layer d (from 0.250 to 0.600) and is largest at layer e (0.650)."
            ),
        ),
        ([0.2], ""),
    ],
)
def test_leads(probed: AuditResult, values: list[float | None], words: str) -> None:
    lead = layer_lead(probed, profile(probed, values))
    assert words in lead
    assert bool(lead) == bool(words)


def test_scalars_are_never_said_to_be_broken_from_the_start(probed: AuditResult) -> None:
    lead = layer_lead(probed, profile(probed, [0.5, 0.9], "inferred"))
    assert "broken" not in lead
    assert "There is an error from the first layer measured, layer a (0.500" in lead


def test_notes_say_what_was_fitted(probed: AuditResult) -> None:
    def caption(**source: Any) -> str:
        errors = profile(probed, [0.2, 0.3], **source)
        result = replace(probed, probes=replace(probed.probes, equivariance=errors))
        finding = equivariance_finding(result)
        assert finding is not None
        return finding.figures[0].caption + " ".join(finding.remarks)

    fitted = caption()
    assert "The action on 2 layers of 2 is fitted" in fitted
    assert "the same fit to wrong pairs leaves 1.00" in fitted
    assert "or of samples enough to fit one" in fitted
    assert "relative to its size" not in fitted
    inferred = caption(source="inferred")
    assert "fitted" not in inferred
    assert "relative to its size" in inferred
