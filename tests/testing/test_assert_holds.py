"""assert_holds: models whose symmetry is known pass or fail, and the message says how."""

import pytest
import torch
from torch import nn

from goldstone.actions import NAVIER_STOKES_FIELDS, flow_symmetry
from goldstone.auditing import AuditSettings
from goldstone.core import InputError, SymmetryRefusedError
from goldstone.systems.flows import NavierStokes2d, Trajectories, isotropic_turbulence, rollout
from goldstone.testing import LawError, assert_holds

DT = 0.05
SOLVER = NavierStokes2d(viscosity=5e-3)
QUICK = AuditSettings(snapshots=2, bootstrap=300)


@pytest.fixture(scope="module")
def flows():
    starts = isotropic_turbulence(12, (16, 16), 7, peak=2.0, dtype=torch.float64)
    fields = rollout(SOLVER, SOLVER.advance(starts, DT), DT, 2)
    return Trajectories(
        fields, SOLVER.layout, DT, (1.0, 1.0), SOLVER.system, SOLVER.parameters, "isotropic", 7
    )


class Lagging(nn.Module):
    """A share of the true step, or another share where the flow runs along the second axis."""

    def __init__(self, share=0.9, other=0.9):
        super().__init__()
        self.share, self.other = share, other

    def forward(self, x):
        step = SOLVER.advance(x, DT) - x
        energy = x.square().mean((-2, -1))
        along = (energy[:, 1] > energy[:, 0])[:, None, None, None]
        return x + torch.where(along, self.other * step, self.share * step)


def test_a_symmetric_model_passes_and_its_audit_comes_back(flows):
    result = assert_holds(Lagging(), flows, "d4", settings=QUICK)
    assert result.verdict.holds.answer == "yes"
    assert result.precheck.status == "verified"
    # Gradients are not taken, whatever the settings say.
    assert result.provenance.gradients == 0
    assert all(not e.orbit_coherence for e in result.elements)


class Tilted(Lagging):
    """Errs by 0.1 of the step on flows it has seen, by 0.3 on others: nine times the loss."""

    def __init__(self, flows):
        super().__init__()
        self.seen = flows.fields.flatten(0, 1)

    def forward(self, x):
        step = SOLVER.advance(x, DT) - x
        apart = (x.flatten(1)[:, None] - self.seen.flatten(1).to(x.dtype)).abs().amax(-1)
        near = apart.amin(1) < 1e-4
        share = torch.where(near, 0.9, 0.7)[:, None, None, None].to(x.dtype)
        return x + share * step


def test_a_wrong_model_fails_with_elements_and_sizes(flows):
    with pytest.raises(AssertionError) as caught:
        assert_holds(Tilted(flows), flows, "d4", settings=QUICK)
    assert isinstance(caught.value, LawError)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("Tilted has not learned d4: under r, r²")
    assert first.endswith("its loss grows, by up to a factor of 9.0.")
    assert len(rest) == 7
    assert rest[0].startswith("  ")
    assert ": no, loss factor 9 [9, 9], equivariance error " in rest[0]
    assert rest[0].endswith("(allowed 1.1)")


def test_the_tolerance_is_a_choice(flows):
    with pytest.raises(LawError, match=r"\(allowed 2\.5\)"):
        assert_holds(Tilted(flows), flows, "d4", tolerance=1.5, settings=QUICK)
    assert_holds(Tilted(flows), flows, "d4", tolerance=8.5, settings=QUICK)


def test_undetermined_fails_and_says_so(flows):
    """Which pose it is good at depends on the sample, so few of them do not decide."""
    with pytest.raises(LawError, match=r"r: (undetermined|no), loss factor"):
        assert_holds(Lagging(0.9, 0.7), flows, "d4", tolerance=0.4, settings=QUICK)


def test_without_skill_nothing_holds(flows):
    with pytest.raises(LawError, match=r"d4 holds for Identity is undetermined: .* skill"):
        assert_holds(nn.Identity(), flows, "d4", settings=QUICK)


def test_a_pair_of_tensors_and_a_symmetry(flows):
    inputs, targets = flows.fields[:, 0], flows.fields[:, 1]
    symmetry = flow_symmetry("d4", NAVIER_STOKES_FIELDS, (16, 16))
    assert_holds(Lagging(), (inputs, targets), symmetry, settings=QUICK)
    with pytest.raises(LawError, match="ASSUMED"):
        assert_holds(Tilted(flows), (inputs, targets), symmetry, settings=QUICK)


def test_what_is_no_symmetry_is_refused(flows):
    with pytest.raises(SymmetryRefusedError, match="reversed-d4"):
        assert_holds(Lagging(), flows, "reversed-d4", settings=QUICK)
    few = Trajectories(flows.fields[:5], flows.layout, DT)
    with pytest.raises(InputError, match="at least 8"):
        assert_holds(Lagging(), few, "d4", settings=QUICK)
