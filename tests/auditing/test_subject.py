"""A subject in one line, and elements by name."""

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import NAVIER_STOKES_FIELDS, LinearAction, Symmetry, flow_symmetry
from goldstone.auditing import (
    AuditSettings,
    Subject,
    equivariance_errors,
    measure_layer_coherence,
    orbit_gram,
)
from goldstone.auditing.named_elements import as_elements
from goldstone.auditing.samples import Samples
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup, DihedralGroup
from goldstone.representations import StandardRepresentation
from goldstone.systems.losses import cross_entropy, mse, scaled_mse

D3 = DihedralGroup(3)
PLANE = LinearAction(StandardRepresentation(D3))
TURNS = Symmetry("d3", D3, PLANE, PLANE)


def linear() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Linear(2, 2).double().eval()


def test_of_is_measure_with_the_usual_choices() -> None:
    x = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    model, settings = linear(), AuditSettings(bootstrap=100)
    short = Subject.of(model, x, x.flip(0), settings=settings)
    context = short.samples.context
    placed = Samples(x.double(), x.flip(0).double(), torch.arange(6), context)
    long = Subject.measure(model, placed, mse, settings)
    assert short.samples.inputs.dtype == torch.float64
    assert torch.equal(short.predictions, long.predictions)
    prediction, target = short.predictions, placed.targets
    assert torch.equal(short.loss(prediction, target), long.loss(prediction, target))
    assert torch.equal(short.bootstrap.counts, long.bootstrap.counts)
    grouped = Subject.of(model, x, x, trajectory=torch.tensor([5, 5, 9, 9, 2, 2]))
    assert grouped.samples.trajectory.tolist() == [1, 1, 2, 2, 0, 0]
    assert grouped.settings == AuditSettings()


@pytest.mark.parametrize(
    ("targets", "loss"),
    [
        (torch.tensor([0, 1, 1]), cross_entropy),
        (torch.ones(3, 2), mse),
        (torch.ones(3, 2, 4, 4), scaled_mse),
    ],
)
def test_the_usual_loss(targets: Tensor, loss: object) -> None:
    model = nn.Identity() if targets.ndim == 4 else linear()
    x = torch.ones(3, 2, 4, 4) if targets.ndim == 4 else torch.ones(3, 2)
    assert Subject.of(model, x, targets).loss.__name__ == loss.__name__  # type: ignore[attr-defined]


def test_what_does_not_belong_together_is_refused() -> None:
    x = torch.ones(4, 2)
    with pytest.raises(InputError, match="as many targets as inputs"):
        Subject.of(linear(), x, x[:3])
    with pytest.raises(InputError, match=r"targets.*NaN"):
        Subject.of(linear(), x, x * torch.nan)
    with pytest.raises(InputError, match="no usual loss"):
        Subject.of(linear(), x, (x, x))
    with pytest.raises(InputError, match=r"torch\.nn\.Module"):
        Subject.of(lambda x: x, x, x)  # type: ignore[arg-type]


def test_elements_by_name() -> None:
    elements = D3.elements()
    names = [D3.element_name(g) for g in elements]
    assert as_elements(TURNS, names) == tuple(elements)
    assert as_elements(TURNS, [elements[2], "r"]) == (elements[2], elements[1])
    with pytest.raises(InputError, match=r"no element is called 'q'; known are e, r, r²"):
        as_elements(TURNS, ["r", "q"])
    line = AdditiveGroup(2)
    shifts = flow_symmetry("shifts", NAVIER_STOKES_FIELDS, (8, 8))
    listed = shifts.elements or shifts.group.elements()[:2]
    assert as_elements(shifts, [shifts.group.element_name(g) for g in listed]) == tuple(listed)
    bare = Symmetry("line", line, PLANE, PLANE)
    with pytest.raises(InputError, match="none: give values"):
        as_elements(bare, ["x"])


def test_probes_take_names() -> None:
    x = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    subject = Subject.of(linear(), x, x, settings=AuditSettings(bootstrap=100))
    turn = D3.elements()[1]
    by_name = measure_layer_coherence(subject, TURNS, ["r"])
    assert by_name == measure_layer_coherence(subject, TURNS, [turn])
    assert orbit_gram(subject, TURNS, ["r", "s"]).elements == ("e", "r", "s")
    found = equivariance_errors(linear(), x, TURNS, ["r"])
    assert found == equivariance_errors(linear(), x, TURNS, [turn])
