"""Which architecture keeps which symmetry before any training."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    GraphEntry,
    LinearAction,
    Symmetry,
    TrivialAction,
    flow_symmetry,
    graph_symmetry,
    sequence_symmetry,
    set_symmetry,
)
from goldstone.auditing import (
    ArchitectureTable,
    compare_architectures,
    equivariance_errors,
    perturbed_copy,
)
from goldstone.core import InputError, from_json, generator, to_json
from goldstone.groups import SpecialOrthogonalGroup
from goldstone.nn import SteerableConv2d
from goldstone.representations import StandardRepresentation

GRID = (8, 8)
SHIFTS = replace(flow_symmetry("shifts", NAVIER_STOKES_FIELDS, GRID), elements=((1, 0), (2, 2)))
CLASSES = replace(SHIFTS, on_output=TrivialAction())
QUICK: dict[str, Any] = {"seeds": 2, "gradient_samples": 3, "replicates": 200}


def noise(*shape: int, seed: int = 0) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=source, dtype=torch.float64)


FIELDS = noise(4, 2, *GRID)


def made(*layers: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*(layer() for layer in layers)).double()


def conv(stride: int = 1, mode: str = "circular", kernel: int = 3) -> Callable[[], nn.Module]:
    return lambda: nn.Conv2d(
        2, 2, kernel, stride=stride, padding=kernel // 2, padding_mode=mode, bias=True
    )


class Positions(nn.Module):
    """x + p."""

    def __init__(self, start: Tensor, *, gate: bool = False, trained: bool = True) -> None:
        super().__init__()
        self.table = nn.Parameter(start.clone(), requires_grad=trained)
        self.gate = nn.Parameter(torch.zeros(1)) if gate else None

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.table if self.gate is None else self.gate * self.table)


def standings(table: ArchitectureTable) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in table.architectures}
    for cell in table.cells:
        found[cell.architecture].append(cell.standing)
    return found


def test_padding_and_stride() -> None:
    networks = {
        "circular": made(conv(), nn.ReLU, conv()),
        "zeros": made(conv(mode="zeros"), nn.ReLU, conv(mode="zeros")),
        "stride 2": made(conv(2), nn.ReLU, lambda: nn.Upsample(scale_factor=2)),
    }
    table = compare_architectures(networks, FIELDS, SHIFTS, **QUICK)
    assert standings(table) == {
        "circular": ["built in", "built in"],
        "zeros": ["broken", "broken"],
        "stride 2": ["broken", "built in"],
    }
    assert table.elements == (("shifts", "shift(1,0)"), ("shifts", "shift(2,2)"))
    for cell in table.cells:
        assert cell.coherence is not None
        assert cell.coherence.estimate is not None
        assert cell.gradient_error is not None
        if cell.standing == "built in":
            assert cell.coherence.estimate == pytest.approx(1, abs=1e-12)
            assert cell.gradient_error < 1e-12
        else:
            assert cell.coherence.estimate < 0.95
            assert cell.gradient_error > 0.1


def test_exact_by_accident_is_told_from_built_in() -> None:
    zeros = torch.zeros(2, *GRID)
    networks = {
        "zero positions": made(lambda: Positions(zeros), nn.GELU, conv()),
        # Their gradient vanishes too: to first order nothing is broken.
        "gated positions": made(lambda: Positions(zeros, gate=True), nn.GELU, conv()),
        "frozen zeros": made(lambda: Positions(zeros, trained=False), nn.GELU, conv()),
        "small positions": made(lambda: Positions(0.02 * torch.randn(2, *GRID)), nn.GELU, conv()),
    }
    table = compare_architectures(networks, FIELDS, SHIFTS, **QUICK)
    assert standings(table) == {
        "zero positions": ["initial only"] * 2,
        "gated positions": ["initial only"] * 2,
        "frozen zeros": ["built in"] * 2,
        "small positions": ["approximate"] * 2,
    }
    zero, gated = (table.cell(name, "shift(1,0)") for name in list(networks)[:2])
    assert zero.exact
    assert not zero.perturbed_exact
    assert zero.gradient_error is not None
    assert zero.gradient_error > 1e-3
    assert gated.gradient_error is not None
    assert gated.gradient_error < 1e-12


def test_gradients_tell_without_a_perturbation() -> None:
    zeros = torch.zeros(2, *GRID)
    networks = {"p": made(lambda: Positions(zeros), nn.GELU, conv()), "none": made(nn.GELU, conv())}
    table = compare_architectures(networks, FIELDS, SHIFTS, perturb=0.0, **QUICK)
    assert standings(table) == {"p": ["initial only"] * 2, "none": ["built in"] * 2}
    assert table.cell("p", "shift(1,0)").perturbed_exact


def test_a_zero_last_layer_hides_nothing() -> None:
    def head(mode: str) -> nn.Module:
        last = nn.Conv2d(2, 2, 3, padding=1, padding_mode=mode)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return last

    networks = {m: made(conv(), nn.GELU, lambda m=m: head(m)) for m in ("circular", "zeros")}
    table = compare_architectures(networks, FIELDS, SHIFTS, **QUICK)
    assert standings(table) == {"circular": ["built in"] * 2, "zeros": ["initial only"] * 2}


def test_the_error_relative_to_the_spread_is_not_hidden_by_a_constant() -> None:
    networks = {
        "flat head": made(nn.Flatten, lambda: nn.Linear(128, 3)),
        "with a constant": made(nn.Flatten, lambda: nn.Linear(128, 3), lambda: Shifted(1e3)),
    }
    table = compare_architectures(networks, FIELDS, CLASSES, **QUICK)
    plain, shifted = (table.cell(name, "shift(1,0)") for name in networks)
    assert plain.standing == shifted.standing == "broken"
    assert shifted.error.estimate is not None
    assert shifted.error.estimate < 0.01
    assert plain.spread_error.estimate == pytest.approx(shifted.spread_error.estimate)


class Shifted(nn.Module):
    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return x + self.by


def test_numbers_of_a_linear_model_in_closed_form() -> None:
    # f(x) = θ·x elementwise on a ring of three, g the shift by one: f(gx) − g f(x) = (θ − gθ)·gx,
    # and the gradients are a = x·g⁻¹w, b = gx·w.
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.theta = nn.Parameter(torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.theta

    x, theta = noise(6, 3), Scaled().theta.detach()
    symmetry = sequence_symmetry("cyclic-shifts", 3)
    table = compare_architectures(
        {"scaled": Scaled()}, x, symmetry, [1], seeds=1, gradient_samples=6, replicates=200
    )
    cell = table.cells[0]
    moved = x.roll(1, 1)
    gap = (theta - theta.roll(1)) * moved
    error = (gap.norm(dim=1) / (theta * x).norm(dim=1)).mean()
    assert cell.error.estimate == pytest.approx(float(error))
    expected = theta.roll(1) * moved
    apart = [
        sum(float((theta * moved[i] - expected[j]).square().sum()) for j in range(6) if j != i) / 5
        for i in range(6)
    ]
    spread = sum(float(gap[i].norm()) / apart[i] ** 0.5 for i in range(6)) / 6
    assert cell.spread_error.estimate == pytest.approx(spread)
    assert cell.gradient_error is not None
    w = torch.randn(3, generator=generator(0, "probe", 0), dtype=torch.float64)
    a, b = x * w.roll(-1), moved * w
    worst = ((a - b).norm(dim=1) / a.norm(dim=1)).max()
    assert cell.gradient_error == pytest.approx(float(worst))
    a, b = (t / t.norm(dim=1, keepdim=True) for t in (a, b))

    def covariance(p: Tensor, q: Tensor) -> float:
        products = p @ q.T
        return float(products.diagonal().mean() - products[~torch.eye(6, dtype=bool)].mean())

    rho = covariance(a, b) / (covariance(a, a) * covariance(b, b)) ** 0.5
    assert cell.coherence is not None
    assert cell.coherence.estimate == pytest.approx(rho)


def test_training_breaks_what_is_exact_at_first_only() -> None:
    networks = {
        "built in": made(conv(), nn.GELU, conv()),
        "initial only": made(conv(), lambda: Positions(torch.zeros(2, *GRID)), nn.GELU, conv()),
        # A weight for every place, 1 at first.
        "normed": made(conv(), lambda: nn.LayerNorm((2, *GRID)), nn.GELU, conv()),
    }
    table = compare_architectures(networks, FIELDS, SHIFTS, **QUICK)
    assert standings(table) == {
        "built in": ["built in"] * 2,
        "initial only": ["initial only"] * 2,
        "normed": ["initial only"] * 2,
    }
    for name, make in networks.items():
        torch.manual_seed(3)
        model = make()
        assert largest_error(model) < 1e-14
        (model(FIELDS) - noise(4, 2, *GRID, seed=1)).square().mean().backward()
        torch.optim.SGD(model.parameters(), 0.1).step()
        assert (largest_error(model) < 1e-14) == (name == "built in")


def largest_error(model: nn.Module) -> float:
    found = equivariance_errors(model.eval(), FIELDS, SHIFTS, replicates=2)
    return max(max(element.samples) for element in found.elements)


def test_one_module_has_the_errors_and_intervals_of_the_samples() -> None:
    model = made(conv(), nn.GELU, conv(mode="zeros"))()
    table = compare_architectures(
        {"one": model}, FIELDS, SHIFTS, seeds=1, gradient_samples=0, replicates=300, seed=4
    )
    expected = equivariance_errors(model.eval(), FIELDS, SHIFTS, replicates=300, seed=4)
    for cell, element in zip(table.cells, expected.elements, strict=True):
        assert cell.error.estimate == pytest.approx(element.error.estimate)
        assert cell.error.low == pytest.approx(element.error.low)
        assert cell.error.high == pytest.approx(element.error.high)
        assert cell.coherence is None
        assert cell.gradient_error is None


def test_turns_of_vectors_with_a_steerable_convolution_as_known_answer() -> None:
    d4 = flow_symmetry("d4", NAVIER_STOKES_FIELDS, GRID)
    vector: Any = StandardRepresentation(d4.group)
    networks = {
        "steerable": lambda: SteerableConv2d(vector, vector, 3).double(),
        "plain": made(conv()),
        "componentwise": nn.ReLU(),
    }
    table = compare_architectures(networks, FIELDS, d4, **QUICK)
    found = standings(table)
    assert set(found["steerable"]) == {"built in"}
    assert set(found["plain"]) == {"broken"}
    # A diagonal reflection exchanges the components, which is all that a ReLU allows.
    kept = [c.element for c in table.cells if c.architecture == "componentwise" and c.exact]
    swap = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    diagonal = [
        d4.group.element_name(g)
        for g in d4.group.elements()
        if torch.equal(torch.tensor(d4.group.matrix(g)), swap)
    ]
    assert kept == diagonal
    assert all(c.coherence is None for c in table.cells if c.architecture == "componentwise")


def test_sets_and_graphs_as_trees() -> None:
    class MessagePassing(nn.Module):
        def __init__(self, how: str) -> None:
            super().__init__()
            self.how, self.layer = how, nn.Linear(2, 3)
            self.order = nn.LSTM(3, 3, batch_first=True) if how == "lstm" else None

        def forward(self, x: Tensor, a: Tensor) -> Tensor:
            messages = a[..., None] * self.layer(x)[:, None]
            if self.order is not None:
                return self.order(messages.flatten(0, 1))[0][:, -1].reshape(*x.shape[:2], 3)
            return messages.sum(2) if self.how == "sum" else messages.amax(2)

    entries: dict[str, GraphEntry] = {"x": "node", "a": "adjacency"}
    symmetry = replace(
        graph_symmetry(4, entries, output="node"), elements=((1, 0, 2, 3), (3, 1, 0, 2))
    )
    links = (noise(4, 4, 4) > 0).double()
    graphs = {"x": noise(4, 4, 2), "a": links}
    networks = {h: (lambda h=h: MessagePassing(h).double()) for h in ("sum", "max", "lstm")}
    table = compare_architectures(networks, graphs, symmetry, **QUICK)
    found = standings(table)
    assert found["sum"] == found["max"] == ["built in"] * 2
    assert not {"built in", "initial only"} & set(found["lstm"])


def test_an_angle_that_no_grid_has() -> None:
    # Pointwise matrices a + bJ turn with every frame, the norm nonlinearity too, ReLU with none.
    class Frame(nn.Module):
        def __init__(self, *, norm: bool) -> None:
            super().__init__()
            self.norm, self.a = norm, nn.Parameter(torch.randn(2, dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            u = self.a[0] * x + self.a[1] * torch.stack((-x[:, 1], x[:, 0]), 1)
            return u * torch.sigmoid(u.norm(dim=1, keepdim=True)) if self.norm else u.relu()

    turns = SpecialOrthogonalGroup(2)
    act = LinearAction(StandardRepresentation(turns), 1)
    c = 0.5**0.5
    symmetry = Symmetry("frame", turns, act, act, elements=(((c, -c), (c, c)),))
    networks = {"norm": lambda: Frame(norm=True), "relu": lambda: Frame(norm=False)}
    table = compare_architectures(networks, noise(5, 2, 4, 4), symmetry, **QUICK)
    assert standings(table) == {"norm": ["built in"], "relu": ["broken"]}


def test_single_precision() -> None:
    networks = {
        "sum": lambda: nn.Sequential(nn.Linear(3, 8), nn.GELU(), PoolPlaces()),
        "flat": lambda: nn.Sequential(nn.Flatten(), nn.Linear(15, 8)),
    }
    table = compare_architectures(networks, noise(5, 5, 3), set_symmetry(5), **QUICK)
    found = standings(table)
    assert set(found["sum"]) == {"built in"}
    assert "built in" not in found["flat"]


class PoolPlaces(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


def test_several_symmetries_and_equal_names() -> None:
    once = replace(SHIFTS, elements=((1, 0),))
    both = (replace(once, name="fields"), replace(once, name="classes", on_output=TrivialAction()))
    table = compare_architectures({"conv": made(conv())}, FIELDS, both, **QUICK)
    assert table.cell("conv", "shift(1,0)", "fields").standing == "built in"
    assert table.cell("conv", "shift(1,0)", "classes").standing == "broken"
    with pytest.raises(InputError, match="got 2"):
        table.cell("conv", "shift(1,0)")
    assert "| architecture | fields: shift(1,0) | classes: shift(1,0) |" in table.to_markdown()


def test_text_and_json() -> None:
    networks = {"a|b": made(conv()), "zeros": made(conv(mode="zeros"))}
    table = compare_architectures(networks, FIELDS, SHIFTS, **QUICK)
    lines = table.to_markdown().splitlines()
    assert lines[0] == "| architecture | shift(1,0) | shift(2,2) |"
    assert lines[2] == "| a\\|b | **exact** | **exact** |"
    assert lines[3].startswith("| zeros | broken 0.")
    assert "2 seeds, 4 inputs, 3 of them for gradients" in lines[-1]
    for shown in ("error", "spread", "perturbed", "coherence"):
        lines = table.to_markdown(shown, heads=("one", "two"), legend=False).splitlines()
        assert lines[0] == "| architecture | one | two |"
        assert len(lines) == 4
    assert lines[2].endswith("| 1.00 [1.00, 1.00] |")
    with pytest.raises(InputError, match="2 heads"):
        table.to_markdown(heads=("one",))
    assert from_json(ArchitectureTable, json.loads(json.dumps(to_json(table)))) == table
    with pytest.raises(InputError, match="expected one of"):
        table.to_markdown("size")


def test_same_seed_same_table_and_nothing_is_touched() -> None:
    module = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Dropout()).double()
    before = copy.deepcopy(module.state_dict())
    state = torch.random.get_rng_state()
    networks = {"module": module, "made": made(conv(2), lambda: nn.Upsample(scale_factor=2))}
    one = compare_architectures(networks, FIELDS, SHIFTS, **QUICK)
    two = compare_architectures(networks, FIELDS, SHIFTS, batch=3, **QUICK)
    assert [c.standing for c in one.cells] == [c.standing for c in two.cells]
    for a, b in zip(one.cells, two.cells, strict=True):
        assert a.error.estimate == pytest.approx(b.error.estimate, abs=1e-14)
    assert compare_architectures(networks, FIELDS, SHIFTS, **QUICK) == one
    assert torch.equal(torch.random.get_rng_state(), state)
    assert module.training
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def test_perturbed_weights() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(50, 40), nn.LayerNorm(40), nn.Linear(40, 3)).double()
    model[2].weight.requires_grad_(requires_grad=False)
    moved = perturbed_copy(model, 0.5, seed=1)
    assert not moved.training
    assert torch.equal(moved[2].weight, model[2].weight)
    change = (moved[0].weight - model[0].weight).detach().square().mean().sqrt()
    size = model[0].weight.detach().square().mean().sqrt()
    assert float(change) == pytest.approx(0.5 * float(size), rel=0.05)
    # A bias of zeros takes the size of the others.
    assert bool(moved[1].bias.any())
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            moved.parameters(), perturbed_copy(model, 0.5, seed=1).parameters(), strict=True
        )
    )
    complex_model = nn.Linear(3, 3, dtype=torch.complex128)
    difference = (perturbed_copy(complex_model, 0.1, 0).weight - complex_model.weight).detach()
    assert float(difference.imag.abs().min()) > 0
    with pytest.raises(InputError, match="zero or more"):
        perturbed_copy(model, -1.0, 0)


def test_bad_input() -> None:
    networks = {"conv": made(conv())}
    with pytest.raises(InputError, match="one or more architectures"):
        compare_architectures({}, FIELDS, SHIFTS)
    with pytest.raises(InputError, match="3 or more samples"):
        compare_architectures(networks, FIELDS[:2], SHIFTS)
    with pytest.raises(InputError, match="one symmetry"):
        compare_architectures(networks, FIELDS, [SHIFTS, CLASSES], [(1, 0)])
    with pytest.raises(InputError, match="twice; rename a symmetry"):
        compare_architectures(networks, FIELDS, [SHIFTS, CLASSES])
    with pytest.raises(InputError, match="tolerance between 0 and 1"):
        compare_architectures(networks, FIELDS, SHIFTS, tolerance=2.0)
    with pytest.raises(InputError, match=r"architecture 'text'.*makes a module"):
        compare_architectures({"text": lambda: "conv"}, FIELDS, SHIFTS)
    with pytest.raises(InputError, match=r"architecture 'lazy'.*lazy"):
        compare_architectures({"lazy": made(lambda: nn.LazyConv2d(2, 1))}, FIELDS, SHIFTS)
    with pytest.raises(InputError, match="architecture 'three'"):
        compare_architectures({"three": made(lambda: nn.Conv2d(3, 3, 1))}, FIELDS, SHIFTS)
