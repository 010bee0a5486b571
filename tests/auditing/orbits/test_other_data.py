"""The probes along orbits of a model on dicts of tensors, with complex weights."""

import pytest
import torch
from torch import nn

from goldstone.actions import Context, LinearAction, Symmetry, TreeAction, TrivialAction
from goldstone.auditing import AuditSettings
from goldstone.auditing.connecting_path import symmetry_basin
from goldstone.auditing.layer_coherence import measure_layer_coherence
from goldstone.auditing.loss_landscape import LandscapeSettings, loss_landscape
from goldstone.auditing.orbit_fine_tuning import FineTuning
from goldstone.auditing.orbit_gram import orbit_gram
from goldstone.auditing.orbit_spectrum import orbit_spectrum
from goldstone.auditing.samples import Samples
from goldstone.auditing.stiffness import stiffness
from goldstone.auditing.subject import Subject
from goldstone.groups import CyclicGroup
from goldstone.representations import RegularRepresentation
from goldstone.systems.losses import mse


class SpectralFilter(nn.Module):
    """A field on a cycle filtered with complex weights: equivariant for all of them."""

    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n // 2 + 1, dtype=torch.complex128))
        self.bias = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, field, gain):
        modes = torch.fft.rfft(field) * self.weight
        return gain * torch.fft.irfft(modes, n=field.shape[-1]).tanh() + self.bias


@pytest.fixture
def given():
    group = CyclicGroup(4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = SpectralFilter(4).eval()
        inputs = {
            "field": torch.randn(6, 4, dtype=torch.float64),
            "gain": torch.rand(6, 1, dtype=torch.float64),
        }
        targets = torch.randn(6, 4, dtype=torch.float64)
    turn = LinearAction(RegularRepresentation(group))
    on_input = TreeAction({"field": turn, "gain": TrivialAction()})
    settings = AuditSettings(metrics=("euclidean",), bootstrap=100, permutations=100)
    samples = Samples(inputs, targets, torch.arange(6), Context())
    return Subject.measure(model, samples, mse, settings), Symmetry("turns", group, on_input, turn)


def test_everything_is_coherent(given):
    subject, symmetry = given
    gram = orbit_gram(subject, symmetry, (1, 2, 3))
    found = orbit_spectrum(gram, symmetry.group, subject.bootstrap)
    assert found.irreps[0].share.estimate == pytest.approx(1)
    for entry in stiffness(gram, subject).elements.values():
        assert entry.coherence.orbit.estimate == pytest.approx(1)
    (layers,) = measure_layer_coherence(subject, symmetry, (1,)).values()
    # Three complex weights and a real bias.
    assert layers.groups[""].parameters == 7


def test_landscape_and_path(given):
    subject, symmetry = given
    found = loss_landscape(subject, symmetry, (1,), LandscapeSettings(2, 7, 1e-6, 6))
    assert found.parameters == 7
    assert found.hessian.across["r"].estimate is None
    samples = subject.samples
    basin = symmetry_basin(
        subject.model,
        samples,
        samples,
        symmetry,
        (1, 2),
        subject.loss,
        FineTuning(steps=30, learning_rate=0.01),
        points=3,
        settings=subject.settings,
    )
    for path in (basin.augmented, basin.control):
        # The poses of an equivariant model have one loss.
        for plain, orbit in zip(path.plain.loss, path.orbit.loss, strict=True):
            assert orbit.estimate == pytest.approx(plain.estimate)
        assert path.plain.log_change.estimate < 0
        assert path.distance > 0
