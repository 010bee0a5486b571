"""Functions kept, hand-split networks recovered, tiny layers against all maps."""

import copy
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError, SymmetryRefusedError
from goldstone.weightspace import (
    loss_barrier,
    output_difference,
    parameter_symmetries,
    semi_permutation_matching,
    weight_matching,
    widened,
)
from goldstone.weightspace.matching.split_units import SplitUnits
from tests.weightspace.networks import GPT, ResNet, cnn, mlp, randomised


def normal(*shape: int, seed: int = 5) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class Attention(nn.Module):
    """Heads whose number is not bound to the width of the residual stream."""

    def __init__(self, heads: int, size: int = 4, width: int = 6) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(width, heads * size) for _ in range(3))
        self.out = nn.Linear(heads * size, width)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        b, t, _ = x.shape
        q, k, v = (
            f(x).view(b, t, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v)
        )
        y = functional.scaled_dot_product_attention(q, k, v)
        return self.head((x + self.out(y.transpose(1, 2).reshape(b, t, -1))).tanh())


class Recurrent(nn.Module):
    """One layer twice, registered under two names."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, width), nn.Linear(width, 2)
        self.again = self.inner = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.again(self.inner(self.first(x).relu()).relu()).relu())


TOKENS = torch.arange(60).reshape(10, 6) * 7 % 11
WIDTHS: dict[str, tuple[nn.Module, nn.Module, Tensor]] = {
    "relu": (
        mlp(nn.ReLU(), widths=(3, 5, 4, 2)),
        mlp(nn.ReLU(), widths=(3, 8, 7, 2)),
        normal(9, 3),
    ),
    "gelu": (
        mlp(nn.GELU(), widths=(3, 5, 4, 2)),
        mlp(nn.GELU(), widths=(3, 8, 4, 2)),
        normal(9, 3),
    ),
    "sigmoid": (
        mlp(nn.Sigmoid(), widths=(3, 5, 4, 2)),
        mlp(nn.Sigmoid(), widths=(3, 12, 9, 2)),
        normal(9, 3),
    ),
    "cnn": (
        nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)),
        nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(20, 2)),
        normal(4, 1, 4, 4),
    ),
    "resnet": (ResNet((4, 6)).eval(), ResNet((5, 9)).eval(), normal(4, 3, 8, 8)),
    "hidden units of a transformer": (GPT(hidden=12), GPT(hidden=20), TOKENS),
    "shared weights": (Recurrent(4), Recurrent(7), normal(9, 3)),
    "heads": (Attention(2), Attention(5), normal(4, 5, 6)),
}


@pytest.mark.parametrize("name", WIDTHS)
def test_function_is_kept(name: str) -> None:
    narrow, wide, inputs = (copy.deepcopy(x) for x in WIDTHS[name])
    narrow, wide = randomised(narrow).double(), randomised(wide, seed=1).double()
    inputs = inputs.double() if inputs.is_floating_point() else inputs
    found = semi_permutation_matching(wide, narrow, (inputs,), tolerance=1e-10)
    result = found.model(wide)
    torch.testing.assert_close(result(inputs), narrow(inputs), atol=1e-10, rtol=1e-10)
    assert found.difference == output_difference(narrow, result, (inputs,))
    widths = [one.source.shape[1] > int(one.source.max()) + 1 for one in found.maps]
    assert any(widths)
    for one in found.maps:
        for source in one.source:
            assert set(source.tolist()) == set(range(int(one.source.max()) + 1))
        assert (one.factor >= 0).all()
    squares = sum(
        float((x - y).detach().square().sum())
        for x, y in zip(wide.parameters(), result.parameters(), strict=True)
    )
    assert found.distance**2 == pytest.approx(squares, rel=1e-9)


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.GELU(), nn.Tanh()])
def test_units_split_by_hand_are_recovered(activation: nn.Module) -> None:
    """The wider network is the narrow one with units 0 and 2 in two and three parts, shuffled."""
    narrow = randomised(mlp(activation, widths=(3, 5, 4, 2))).double()
    source = torch.tensor([2, 0, 4, 1, 2, 3, 0, 2])
    share = torch.tensor([0.2, 0.3, 1.0, 1.0, 0.5, 1.0, 0.7, 0.3]).double()
    factor = torch.tensor([1.3, 0.6, 2.0, 1.0, 0.8, 1.5, 1.1, 0.9]).double()
    factor = factor if isinstance(activation, nn.ReLU) else torch.ones(8).double()
    wide = mlp(activation, widths=(3, 8, 4, 2)).double()
    with torch.no_grad():
        for key, x in narrow.state_dict().items():
            if key.startswith("0."):
                entries = factor.reshape(-1, *[1] * (x.dim() - 1)) * x[source]
            elif key == "2.weight":
                entries = x[:, source] * share / factor
            else:
                entries = x
            wide.state_dict()[key].copy_(entries)
    inputs = normal(20, 3).double()
    torch.testing.assert_close(wide(inputs), narrow(inputs))
    found = semi_permutation_matching(wide, narrow, (inputs,))
    assert found.distance < 1e-6
    first = next(one for one in found.maps if one.name == "0.weight[0]")
    assert first.source[0].tolist() == source.tolist()
    torch.testing.assert_close(first.factor[0], factor, atol=1e-6, rtol=1e-6)
    targets = narrow(inputs).detach()
    barrier = loss_barrier(
        wide, found.model(wide), inputs, targets, lambda one, two: (one - two).square().mean(1)
    ).barrier
    assert barrier.estimate is not None
    assert barrier.estimate < 1e-12


def test_heads_and_channels_split_by_hand_are_recovered() -> None:
    narrow = randomised(Attention(2)).double()
    wide = Attention(3).double()
    order, share = [1, 0, 1], [0.25, 1.0, 0.75]
    with torch.no_grad():
        for name, x in narrow.state_dict().items():
            if name.startswith(("q.", "k.", "v.")):
                parts = [x[4 * h : 4 * h + 4] for h in order]
                wide.state_dict()[name].copy_(torch.cat(parts))
            elif name == "out.weight":
                shared = [s * x[:, 4 * h : 4 * h + 4] for h, s in zip(order, share, strict=True)]
                wide.state_dict()[name].copy_(torch.cat(shared, 1))
            else:
                wide.state_dict()[name].copy_(x)
    found = semi_permutation_matching(wide, narrow, (normal(4, 5, 6).double(),))
    assert found.distance < 1e-10
    channels, large = randomised(cnn()), cnn()
    large[3], large[6] = nn.Conv2d(6, 7, 3, padding=1), nn.Linear(7 * 16, 3)
    source = torch.tensor([4, 2, 0, 3, 2, 1, 0])
    share_of = torch.tensor([1.0, 0.4, 0.3, 1.0, 0.6, 1.0, 0.7])
    with torch.no_grad():
        large[0].load_state_dict(channels[0].state_dict())
        large[3].weight.copy_(channels[3].weight[source])
        large[3].bias.copy_(channels[3].bias[source])
        pixels = channels[6].weight.reshape(3, 5, 16)[:, source] * share_of[:, None]
        large[6].weight.copy_(pixels.reshape(3, -1))
        large[6].bias.copy_(channels[6].bias)
    assert semi_permutation_matching(large, channels, (normal(2, 2, 8, 8),)).distance < 1e-5


def weights(seed: int, n: int, m: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    stream = np.random.default_rng(seed)
    return tuple((stream.normal(size=(n, d)), stream.normal(size=(m, d))) for d in (2, 3))


def least(a: np.ndarray, r: np.ndarray, source: tuple[int, ...]) -> float:
    """min Σ‖a_i − v_i‖² with Σ_{s(i)=j} v_i = r_j, as a linear least-norm problem."""
    p = np.eye(len(r))[list(source)]
    change = np.linalg.lstsq(p.T, r - p.T @ a, rcond=None)[0]
    return float(np.square(change).sum())


def neighbours(source: tuple[int, ...], m: int) -> list[tuple[int, ...]]:
    """Sources with one unit moved or two exchanged."""
    found = []
    for i in range(len(source)):
        found += [(*source[:i], j, *source[i + 1 :]) for j in range(m)]
        for k in range(i):
            changed = list(source)
            changed[i], changed[k] = source[k], source[i]
            found.append(tuple(changed))
    return found


def test_tiny_layers_against_all_maps() -> None:
    """No move and no exchange improves any; nearly all are the best of all maps."""
    best = 0
    for seed in range(60):
        n, m = ((4, 2), (5, 3), (5, 2))[seed % 3]
        (a, w), (b, r) = weights(seed, n, m)
        none = np.zeros((n, 0)), np.zeros((m, 0))
        source, factor = SplitUnits((a, w), none, (b, r), scaled=False).solved()
        assert (factor == 1.0).all()
        costs = {
            chosen: float(np.square(a - w[list(chosen)]).sum()) + least(b, r, chosen)
            for chosen in product(range(m), repeat=n)
            if len(set(chosen)) == m
        }
        own = tuple(source.tolist())
        near = [costs[one] for one in neighbours(own, m) if one in costs]
        assert costs[own] <= min(near) * (1 + 1e-9)
        best += costs[own] <= min(costs.values()) * (1 + 1e-9)
    assert best >= 50


def test_units_that_copy_nothing() -> None:
    """Where no unit of a group points the way of its source, one of them must write all the same.

    The others keep their readers: they write nothing.
    """
    for seed in range(40):
        stream = np.random.default_rng(seed)
        m = 1 + seed % 3
        n = m + 1 + seed % 4
        none = np.zeros((n, 0)), np.zeros((m, 0))
        writing, reading = (
            (stream.normal(size=(n, 1)), stream.normal(size=(m, 1))) for _ in range(2)
        )
        source, factor = SplitUnits(none, writing, reading, scaled=True).solved()
        assert (np.bincount(source, factor**2, m) > 1e-6).all()
    # Both units point away: the one whose factor costs least takes it, as without the other.
    writing = np.array([[-1.0], [-0.5]]), np.array([[1.0]])
    reading = np.array([[0.3], [2.0]]), np.array([[1.0]])
    none = np.zeros((2, 0)), np.zeros((1, 0))
    units = SplitUnits(none, writing, reading, scaled=True)
    _, factor = units.solved()
    lone = units.lone_factors()[:, 0]
    writing_costs = [(writing[0][i, 0] - lone[i]) ** 2 for i in range(2)]
    reading_costs = [(reading[0][i, 0] - 1 / lone[i]) ** 2 for i in range(2)]
    costs = np.array(writing_costs) + reading_costs - np.square(writing[0][:, 0])
    chosen = int(costs.argmin())
    assert factor[chosen] == pytest.approx(lone[chosen])
    assert factor[1 - chosen] == 0.0


def test_lone_factor_is_the_best() -> None:
    (a, w), (b, r) = weights(3, 4, 3)
    none = np.zeros((4, 0)), np.zeros((3, 0))
    factors = SplitUnits(none, (a, w), (b, r), scaled=True).lone_factors()
    tried = np.geomspace(1e-3, 1e3, 20001)
    for i, j in product(range(4), range(3)):

        def cost(p: np.ndarray, i: int = i, j: int = j) -> np.ndarray:
            writing = np.square(a[i] - p[:, None] * w[j]).sum(1)
            return writing + np.square(b[i] - r[j] / p[:, None]).sum(1)

        assert cost(factors[i, j : j + 1])[0] <= cost(tried).min() * (1 + 1e-9)


def test_whole_network_is_no_farther_than_any_map_of_one_layer() -> None:
    wide = randomised(mlp(nn.Tanh(), widths=(3, 4, 2))).double()
    narrow = randomised(mlp(nn.Tanh(), widths=(3, 2, 2)), seed=1).double()
    found = semi_permutation_matching(wide, narrow, (normal(5, 3).double(),))
    large, small = ([x.detach().numpy() for x in one.parameters()] for one in (wide, narrow))
    ends = float(np.square(large[3] - small[3]).sum())
    costs = []
    for source in product(range(2), repeat=4):
        if len(set(source)) == 2:
            chosen = list(source)
            writing = [
                np.square(x - y[chosen]).sum() for x, y in zip(large[:2], small[:2], strict=True)
            ]
            costs.append(float(sum(writing)) + least(large[2].T, small[2].T, source) + ends)
    assert found.distance**2 == pytest.approx(min(costs), rel=1e-9)


def spirals() -> tuple[Tensor, Tensor]:
    t = torch.linspace(0.3, 1, 100)
    angle = torch.cat([6 * t, 6 * t + torch.pi])
    x = torch.stack([angle.cos(), angle.sin()], 1) * t.repeat(2)[:, None]
    return 2 * x, torch.arange(2).repeat_interleave(100)


def trained(seed: int, width: int) -> nn.Module:
    torch.manual_seed(seed)
    model = mlp(nn.GELU(), widths=(2, width, width, 2))
    x, y = spirals()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(250):
        optimiser.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    return model


def test_copies_of_a_trained_network_come_nearer_than_zero_units() -> None:
    wide, narrow = trained(0, 64), trained(1, 16)
    x, y = spirals()
    padded = widened(narrow, wide, (x,))
    zeros = weight_matching(wide, padded, parameter_symmetries(wide, (x,)))
    copies = semi_permutation_matching(wide, narrow, (x,))
    barriers = []
    for one in (zeros.model(wide), copies.model(wide)):
        found = loss_barrier(
            wide, one, x, y, lambda out, y: functional.cross_entropy(out, y, reduction="none")
        )
        assert found.barrier.estimate is not None
        barriers.append(found.barrier.estimate)
    assert copies.distance < 0.8 * zeros.distance
    assert barriers[1] < 0.5 * barriers[0]  # 0.0009 and 0.25 when this was written


def test_equal_widths_are_permuted() -> None:
    model = randomised(mlp(nn.GELU(), widths=(3, 6, 5, 2)))
    symmetries = parameter_symmetries(model, (normal(2, 3),))
    state = model.state_dict()
    for one in symmetries.permutations:
        state = one.act(one.random_element(torch.Generator().manual_seed(1)), state)
    other = copy.deepcopy(model)
    other.load_state_dict(state)
    found = semi_permutation_matching(model, other, (normal(2, 3),))
    assert found.distance < 1e-5


def test_bad_input() -> None:
    narrow, wide = mlp(nn.ReLU(), widths=(3, 4, 2)), mlp(nn.ReLU(), widths=(3, 6, 2))
    inputs = (normal(2, 3),)
    with pytest.raises(InputError, match="no axis longer"):
        semi_permutation_matching(narrow, wide, inputs)
    with pytest.raises(InputError, match="not interchangeable"):
        semi_permutation_matching(mlp(nn.ReLU(), widths=(3, 4, 3)), narrow, inputs)
    with pytest.raises(SymmetryRefusedError, match="change the outputs by"):
        semi_permutation_matching(
            mlp(nn.GELU(), norm=True, widths=(3, 7, 2)),
            randomised(mlp(nn.GELU(), norm=True, widths=(3, 4, 2))),
            inputs,
        )
    with torch.no_grad():
        narrow[0].bias[0] = torch.nan
    with pytest.raises(InputError, match="the narrower network has weights"):
        semi_permutation_matching(wide, narrow, inputs)
