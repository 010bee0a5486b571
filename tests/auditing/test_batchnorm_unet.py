"""A BatchNorm U-Net as papers have it: strides, skips, transposed convolutions, eval mode."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from goldstone import AuditSettings, audit
from goldstone.actions import image_symmetry
from goldstone.auditing import equivariance_errors, lie_derivative_by_layer
from goldstone.core import InputError
from goldstone.systems.losses import mse

SETTINGS = AuditSettings(
    trajectories=12, samples=8, reference=2, rollout_steps=2, bootstrap=300, permutations=300
)
GRID = 16


class Block(nn.Sequential):
    """(Convolution, BatchNorm, ReLU) twice, in place."""

    def __init__(self, channels: int, out: int) -> None:
        layers: list[nn.Module] = []
        for inputs in (channels, out):
            layers += [
                nn.Conv2d(inputs, out, 3, padding=1, padding_mode="circular", bias=False),
                nn.BatchNorm2d(out),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)


class UNet(nn.Module):
    """Two stages down by max pooling, two up by transposed convolutions, with skips."""

    def __init__(self, channels: int = 2, width: int = 8) -> None:
        super().__init__()
        self.down = nn.ModuleList([Block(channels, width), Block(width, 2 * width)])
        self.neck = Block(2 * width, 4 * width)
        self.up = nn.ModuleList(
            [
                nn.ConvTranspose2d(4 * width, 2 * width, 2, 2),
                nn.ConvTranspose2d(2 * width, width, 2, 2),
            ]
        )
        self.merge = nn.ModuleList([Block(4 * width, 2 * width), Block(2 * width, width)])
        self.last = nn.Conv2d(width, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.neck(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips), strict=True):
            x = merge(torch.cat([up(x), skip], 1))
        found: torch.Tensor = self.last(x)
        return found


def fields(n, seed):
    """Waves along the first axis, half as strong along the second, and their smoothed product."""
    source = torch.Generator().manual_seed(seed)
    phase = 2 * torch.pi * torch.rand(n, 2, 2, 1, 1, generator=source)
    place = 2 * torch.pi * torch.arange(GRID) / GRID
    along = (place[:, None] + phase[:, 0]).sin() + 0 * place
    across = 0.3 * (place + phase[:, 1]).sin() + 0 * place[:, None]
    x = along + across + 0.05 * torch.randn(n, 2, GRID, GRID, generator=source)
    return x, x - 0.5 * x.square()


@pytest.fixture(scope="module")
def trained():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = UNet()
        optimiser = torch.optim.Adam(model.parameters(), 3e-3)
        for step in range(150):
            x, y = fields(16, 1000 + step)
            optimiser.zero_grad()
            mse(model(x), y).mean().backward()
            optimiser.step()
        optimiser.zero_grad()
    return model.eval()


TURNS = image_symmetry("turns-and-flips", (GRID, GRID), 2, "same")


def test_in_train_mode_it_is_refused(trained):
    trained.train()
    with pytest.raises(InputError, match=r"'down.0.1' \(BatchNorm2d\).*model.eval\(\)"):
        audit(trained, fields(20, 0), TURNS, settings=SETTINGS)
    trained.eval()


def test_what_it_has_not_seen_breaks(trained):
    """Trained on waves along one axis: it has skill, and turned fields are foreign to it."""
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    result = audit(trained, fields(20, 0), TURNS, settings=SETTINGS)
    assert result.model.has_skill
    assert result.verdict.holds.answer == "no"
    by_name = {e.name: e for e in result.elements}
    assert by_name["r"].holds == by_name["r³"].holds == "no"
    assert all(e.grade != "exact" for e in result.elements[1:])
    assert result.provenance.gradient_path.endswith("forward mode")
    assert result.provenance.gradients > 0
    assert all(torch.equal(before[k], v) for k, v in trained.state_dict().items())


def test_shifts_by_its_stride_are_exact_and_transport(trained):
    """Circular padding and a total stride of four: built in for those shifts, and no others."""
    model = trained.double()
    shifts = image_symmetry("shifts", (GRID, GRID), 2, "same", "fourier", "periodic")
    shifts = replace(shifts, elements=((4.0, 0.0), (0.0, 8.0), (1.0, 0.0)))
    result = audit(model, tuple(t.double() for t in fields(20, 0)), shifts, settings=SETTINGS)
    model.float()
    _, four, eight, one = result.elements
    for element in (four, eight):
        assert element.grade == "exact"
        assert element.orbit_coherence["euclidean"].estimate == pytest.approx(1, abs=1e-5)
        assert element.transports == "yes"
    assert one.grade != "exact"
    assert one.equivariance_error.estimate > 1e-3


def test_layers(trained):
    x = fields(8, 0)[0]
    assert all(e.error.estimate > 1e-3 for e in equivariance_errors(trained, x, TURNS).elements)
    shifts = image_symmetry("shifts", (GRID, GRID), 2, "same", "fourier", "periodic")
    found = lie_derivative_by_layer(trained, x, shifts, (1.0, 0.0))
    # Signed contributions sum to the whole.
    assert found.chain_rule_error < 1e-4
    assert len(found.layers) > 10
