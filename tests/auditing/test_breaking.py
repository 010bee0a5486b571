"""Explicit against spontaneous breaking."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from goldstone.actions import LinearAction, Symmetry
from goldstone.auditing import BreakingKinds, breaking_kind, data_symmetry
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup
from goldstone.representations import StandardRepresentation

C4 = CyclicGroup(4)
PLANE = LinearAction(StandardRepresentation(C4))
TURNS = Symmetry("c4", C4, PLANE, PLANE)


def gaussian(n: int = 120, ratio: float = 1.0) -> Tensor:
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x * torch.tensor([ratio, 1.0], dtype=torch.float64)


def linear(angle: float, size: float) -> Callable[[Tensor], Tensor]:
    """The identity and a stretch along one direction, which quarter turns reverse."""
    a = torch.tensor(2 * angle, dtype=torch.float64)
    stretch = size * torch.stack(
        (torch.stack((a.cos(), a.sin())), torch.stack((a.sin(), -a.cos())))
    )
    return lambda x: x + x @ stretch.T


def seeds(size: float, spread: float, count: int = 8) -> list[Callable[[Tensor], Tensor]]:
    """Models whose directions fill ``spread`` of the circle evenly."""
    return [linear(spread * torch.pi * s / count, size) for s in range(count)]


ISOTROPIC = data_symmetry(gaussian(), TURNS)
ANISOTROPIC = data_symmetry(gaussian(ratio=3.0), TURNS)


def kinds(models: Any, data: Any, **arguments: Any) -> dict[str, str]:
    found = breaking_kind(models, gaussian(), TURNS, data, **arguments)
    return {e.name: e.kind for e in found.elements}


def test_the_four_kinds() -> None:
    # A half turn commutes with every linear map.
    def all_but_half(kind: str) -> dict[str, str]:
        return {"r": kind, "r²": "symmetric", "r³": kind}

    assert kinds(seeds(0.0, 1.0), ISOTROPIC) == all_but_half("symmetric")
    assert kinds(seeds(0.0, 1.0), ANISOTROPIC) == all_but_half("symmetric")
    assert kinds(seeds(0.3, 1.0), ISOTROPIC) == all_but_half("spontaneous")
    assert kinds(seeds(0.3, 0.1), ISOTROPIC) == all_but_half("built in")
    assert kinds(seeds(0.3, 0.1), ANISOTROPIC) == all_but_half("explicit")
    assert kinds(seeds(0.3, 1.0)[:1], ISOTROPIC) == all_but_half("undetermined")


def test_the_numbers_behind_it() -> None:
    # Δ_s = (A_s R − R A_s) x = 2 A_s R x: size 2·0.3·|x|; directions filling the circle cancel.
    spread = breaking_kind(seeds(0.3, 1.0), gaussian(), TURNS, ISOTROPIC).elements[0]
    assert spread.shared.estimate == pytest.approx(-1 / 7)
    assert spread.ensemble.estimate == pytest.approx(0.0, abs=1e-12)
    alike = breaking_kind([linear(0.0, 0.3)] * 3, gaussian(), TURNS, ISOTROPIC).elements[0]
    assert alike.shared.estimate == pytest.approx(1.0)
    assert alike.ensemble.estimate == pytest.approx(alike.single.estimate)
    x = gaussian()
    size = 0.6 * x.norm(dim=1) / linear(0.0, 0.3)(x).norm(dim=1)
    assert alike.single.estimate == pytest.approx(float(size.mean()))


def test_independent_models_share_nothing_on_average() -> None:
    source = torch.Generator().manual_seed(1)
    found = []
    for _ in range(60):
        angles = torch.rand(4, generator=source) * torch.pi
        models = [linear(float(a), 0.3) for a in angles]
        shared = breaking_kind(models, gaussian(40), TURNS, ISOTROPIC, replicates=10).elements[0]
        found.append(shared.shared.estimate or 0.0)
    # Unbiased: of four independent models the mean over draws is zero.
    assert sum(found) / 60 == pytest.approx(0.0, abs=0.12)


def test_confounds_are_named() -> None:
    bare = breaking_kind(seeds(0.3, 1.0, 3), gaussian(), TURNS, ISOTROPIC)
    text = " ".join(bare.confounds)
    assert "learned positions" in text
    assert "3 seeds" in text
    assert "no proof" in text
    told = breaking_kind(
        seeds(0.3, 1.0), gaussian(), TURNS, ISOTROPIC, untrained=seeds(0.2, 1.0), augmented=True
    )
    assert any("r, r³ already" in c for c in told.confounds)
    assert any("augmentation" in c for c in told.confounds)
    assert (told.elements[0].untrained.estimate or 0.0) > 0.2
    clean = breaking_kind(seeds(0.3, 1.0), gaussian(), TURNS, ISOTROPIC, untrained=seeds(0.0, 1.0))
    assert not any("positions" in c for c in clean.confounds)


def test_json_and_bad_input() -> None:
    found = breaking_kind(seeds(0.3, 1.0), gaussian(), TURNS, ISOTROPIC)
    assert from_json(BreakingKinds, json.loads(json.dumps(to_json(found)))) == found
    with pytest.raises(InputError, match="one or more models"):
        breaking_kind([], gaussian(), TURNS, ISOTROPIC)
    part = dataclasses.replace(ISOTROPIC, elements=ISOTROPIC.elements[:1])
    with pytest.raises(InputError, match="not tested under r², r³"):
        breaking_kind(seeds(0.3, 1.0), gaussian(), TURNS, part)
    assert breaking_kind(seeds(0.3, 1.0), gaussian(), TURNS, part, [1]).models == 8


def test_what_training_did_to_the_asymmetry_of_the_start() -> None:
    """The control for exchangeable initialisations: a remnant is told from what training made."""
    for before, after, sign, words in ((0.1, 0.3, 1, "made more"), (0.9, 0.3, -1, "left of")):
        found = breaking_kind(
            seeds(after, 1.0), gaussian(), TURNS, ISOTROPIC, untrained=seeds(before, 1.0)
        )
        turn = next(e for e in found.elements if e.name == "r")
        assert turn.kind == "spontaneous"
        assert turn.growth.estimate is not None
        assert turn.growth.low is not None
        assert turn.growth.high is not None
        assert sign * turn.growth.low > 0
        assert sign * turn.growth.high > 0
        assert words in turn.reason
    # ‖Δ‖ is linear in the stretch; the output's size hardly changes.
    alone = breaking_kind(seeds(0.3, 1.0), gaussian(), TURNS, ISOTROPIC)
    assert alone.elements[0].growth.estimate is None


def test_the_reason_quotes_one_model_beside_their_mean() -> None:
    turn = breaking_kind(seeds(0.3, 1.0), gaussian(), TURNS, ISOTROPIC).elements[0]
    assert turn.kind == "spontaneous"
    assert f"the error of one is {turn.single.estimate:.2g}" in turn.reason
    assert f"of the mean of all 8 {turn.ensemble.estimate:.2g}" in turn.reason
    # Of two models that are not opposite much is left, and the reason says so.
    pair = breaking_kind(seeds(0.3, 1.0, 2), gaussian(), TURNS, ISOTROPIC).elements[0]
    assert "restores" not in turn.reason + pair.reason


def test_one_training_set_for_all_is_a_confound_with_a_control() -> None:
    def told(models: Any, **arguments: Any) -> bool:
        found = breaking_kind(models, gaussian(), TURNS, ISOTROPIC, **arguments)
        return any("one finite data set" in c for c in found.confounds)

    assert told(seeds(0.3, 1.0))
    assert not told(seeds(0.3, 1.0), same_training_data=False)
    assert not told(seeds(0.0, 1.0))
    assert not told(seeds(0.3, 1.0)[:1])


def test_the_start_is_compared_with_what_training_left() -> None:
    def told(before: float, after: float) -> str:
        found = breaking_kind(
            seeds(after, 1.0), gaussian(), TURNS, ISOTROPIC, untrained=seeds(before, 1.0)
        )
        (text,) = [c for c in found.confounds if "already" in c]
        turn = found.elements[0]
        assert f"r: {turn.untrained.estimate:.2g}, now {turn.single.estimate:.2g}" in text
        assert "positions" not in text
        return text

    assert "made more of it under r, r³" in told(0.1, 0.4)
    assert "left of it" not in told(0.1, 0.4)
    assert "under r, r³ it has not" in told(0.4, 0.1)


def test_batches_change_nothing() -> None:
    one, other = (
        breaking_kind(seeds(0.3, 1.0, 3), gaussian(), TURNS, ISOTROPIC, batch=b) for b in (7, 500)
    )
    for a, b in zip(one.elements, other.elements, strict=True):
        assert a.single.estimate == pytest.approx(b.single.estimate, rel=1e-12)
    assert one.elements[0].shared.estimate == pytest.approx(other.elements[0].shared.estimate)
