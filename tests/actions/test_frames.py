"""Histories of several frames."""

import pytest
import torch

from goldstone.actions import (
    EULER_FIELDS,
    NAVIER_STOKES_FIELDS,
    Context,
    FramesAction,
    GalileanBoost,
    PointAction,
    flow_symmetry,
    history_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup, DihedralGroup
from goldstone.testing import assert_equivariant, check_action_laws

D4 = DihedralGroup(4)


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def test_every_frame_turns_and_both_layouts_agree():
    one = PointAction(D4, EULER_FIELDS)
    x = noise(2, 3, 4, 6, 6)
    for g in D4.elements():
        expected = torch.stack([one.act(g, x[:, k], Context()) for k in range(3)], 1)
        found = FramesAction(one, (-2, -1, 0), axis=1).act(g, x, Context())
        assert torch.equal(found, expected)
        stacked = FramesAction(one, (-2, -1, 0)).act(g, x.flatten(1, 2), Context())
        assert torch.equal(stacked, expected.flatten(1, 2))
    check_action_laws(FramesAction(one, (-1, 0)), D4, noise(2, 8, 6, 6), tolerance=0.0)


def test_boosted_histories_are_seen_by_one_moving_observer():
    """A steady drift of a wave: each frame of the boosted history has drifted to its own time."""
    n, dt, c = 9, 0.1, 0.7
    context = Context(dt=dt)
    x = torch.arange(n, dtype=torch.float64) / n

    def frame(step, speed):
        wave = torch.sin(2 * torch.pi * (x - speed * step * dt))[:, None].expand(n, n)
        return torch.stack((torch.full_like(wave, speed), wave))[None]

    history = torch.cat([frame(step, 0.2) for step in (-2, -1, 0)], 1)
    boosted = FramesAction(GalileanBoost(NAVIER_STOKES_FIELDS), (-2, -1, 0)).act(
        (c, 0.0), history, context
    )
    expected = torch.cat([frame(step, 0.2 + c) for step in (-2, -1, 0)], 1)
    torch.testing.assert_close(boosted, expected, rtol=0, atol=1e-12)
    # The next two frames, which a model predicts, in the context of the first of them.
    later = torch.cat([frame(step, 0.2) for step in (1, 2)], 1)
    found = FramesAction(GalileanBoost(NAVIER_STOKES_FIELDS), (0, 1)).act(
        (c, 0.0), later, context.at(1)
    )
    torch.testing.assert_close(found, torch.cat([frame(s, 0.2 + c) for s in (1, 2)], 1))


def test_laws_of_boosts():
    boosts = AdditiveGroup("boost", 2)
    action = FramesAction(GalileanBoost(NAVIER_STOKES_FIELDS), (-1, 0))
    check_action_laws(action, boosts, noise(2, 4, 7, 7), Context(dt=0.3), [(0.5, 0.0), (-0.2, 1.0)])


def test_errors():
    one = PointAction(D4, NAVIER_STOKES_FIELDS)
    with pytest.raises(InputError, match=r"3 frames along axis 1, .* \(1, 4, 6, 6\)"):
        FramesAction(one, (-2, -1, 0)).act((0, 1), noise(1, 4, 6, 6), Context())
    with pytest.raises(InputError, match="2 frames along axis 2"):
        FramesAction(one, (-1, 0), axis=2).act((0, 1), noise(1, 2, 3, 6, 6), Context())
    with pytest.raises(InputError, match="one or more frames"):
        FramesAction(one, ())


def test_the_symmetry_of_a_model_of_three_frames():
    """Linear extrapolation in time turns with the flow; a model of one frame's channel does not."""
    symmetry = history_symmetry(flow_symmetry("d4", NAVIER_STOKES_FIELDS, (6, 6)))
    x = noise(2, 6, 6, 6)
    assert_equivariant(lambda x: 2 * x[:, 4:] - x[:, 2:4], symmetry, x)
    with pytest.raises(AssertionError, match="not equivariant under d4"):
        assert_equivariant(lambda x: x[:, 1:3], symmetry, x)
