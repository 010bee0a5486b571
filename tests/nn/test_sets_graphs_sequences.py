"""Layers on sets, graphs and sequences as modules: copies, files, dtypes, compilers, an audit."""

import copy
import pickle

import pytest
import torch
from torch import nn

from goldstone import AuditSettings, audit
from goldstone.actions import set_symmetry
from goldstone.nn import (
    LocalPermutationConv1d,
    PermutationLinear,
    PermutationPool,
    RelativeBias,
    RotaryPositions,
    SequenceAttention,
    SequenceConv1d,
    SetAttention,
)

N = 8
MASK = torch.arange(N) < torch.tensor([[N], [5], [2]])


def made(name):
    torch.manual_seed(0)
    bias, rotary = RelativeBias(2, 3, ring=True), RotaryPositions(2, ring=N)
    return {
        "set": lambda: (PermutationLinear(4, 6), 1),
        "pairs": lambda: (PermutationLinear(4, 6, 2, 2), 2),
        "pairs to set": lambda: (PermutationLinear(4, 6, 2, 1), 2),
        "set to pairs": lambda: (PermutationLinear(4, 6, 1, 2), 1),
        "pool": lambda: (PermutationPool(4, 1, "attention"), 1),
        "pool of pairs": lambda: (PermutationPool(4, 2, "max"), 2),
        "attention": lambda: (SetAttention(4, 2), 1),
        "ring attention": lambda: (SequenceAttention(4, 2, (bias, rotary)), 1),
        "causal attention": lambda: (SequenceAttention(4, 2, RotaryPositions(2), True), 1),
        "ring": lambda: (SequenceConv1d(4, 6, 3), 1),
        "causal": lambda: (SequenceConv1d(4, 6, 3, "causal"), 1),
        "windows": lambda: (LocalPermutationConv1d(4, 6, 4), 1),
    }[name]()


NAMES = [
    "set",
    "pairs",
    "pairs to set",
    "set to pairs",
    "pool",
    "pool of pairs",
    "attention",
    "ring attention",
    "causal attention",
    "ring",
    "causal",
    "windows",
]


class Masked(nn.Module):
    """The mask as an argument by position, whatever the layer's others are."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, mask):
        return self.layer(x, mask=mask)


def inputs(order):
    return torch.randn(3, *[N] * order, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NAMES)
def test_copies_and_files(name, tmp_path):
    layer, order = made(name)
    x = inputs(order)
    y = layer(x, mask=MASK)
    for other in (copy.deepcopy(layer.eval()), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x, mask=MASK), y)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    other, _ = made(name)
    other.reset_parameters(torch.Generator().manual_seed(9))
    other.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert torch.equal(other(x, mask=MASK), y)
    assert "\n" in repr(layer) or len(repr(layer)) > len(type(layer).__name__) + 2


@pytest.mark.parametrize("name", NAMES)
def test_dtypes(name):
    layer, order = made(name)
    x = inputs(order)
    expected = copy.deepcopy(layer).double()(x.double(), mask=MASK)
    y = layer(x, mask=MASK)
    assert y.dtype is torch.float32
    torch.testing.assert_close(y.double(), expected, rtol=1e-4, atol=1e-5)
    half = copy.deepcopy(layer).bfloat16()(x.bfloat16(), mask=MASK)
    assert half.dtype is torch.bfloat16
    torch.testing.assert_close(half.double(), expected, rtol=0.05, atol=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = layer(x, mask=MASK)
    torch.testing.assert_close(mixed.double(), expected, rtol=0.05, atol=0.1)
    if any(True for _ in layer.parameters()):
        mixed.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_compiled_in_one_graph(name):
    layer, order = made(name)
    x = inputs(order)
    torch.compiler.reset()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, mask=MASK), layer(x, mask=MASK))
    torch.testing.assert_close(compiled(x), layer(x))


@pytest.mark.parametrize("name", NAMES)
def test_export_with_any_size(name):
    layer, order = made(name)
    module = Masked(layer).eval()
    batch = torch.export.Dim("batch", min=2, max=64)
    # A ring has its own length.
    sizes = {} if "ring" in name else {1: torch.export.Dim("n", min=4, max=256)}
    if name == "windows":
        # An exported graph is that of whole windows, or of one remainder.
        sizes = {1: 4 * torch.export.Dim("m", min=2, max=64)}
    shape = {0: batch, **sizes, **({2: sizes[1]} if order == 2 else {})}
    exported = torch.export.export(
        module, (inputs(order), MASK), dynamic_shapes=({**shape}, {0: batch, **sizes})
    ).module()
    n = N if "ring" in name else 12
    x, mask = torch.randn(5, *[n] * order, 4), torch.rand(5, n) < 0.6
    torch.testing.assert_close(exported(x, mask), module(x, mask))


def test_an_audit_finds_a_set_model_exact():
    torch.manual_seed(0)
    x = torch.randn(160, 6, 2)
    target = (x[..., :1] * x[..., 1:]).mean(1) + x[..., :1].amax(1)
    model = nn.Sequential(
        PermutationLinear(2, 16),
        nn.GELU(),
        SetAttention(16, 2),
        PermutationLinear(16, 16),
        nn.GELU(),
        PermutationPool(16, 1, "max"),
        nn.Linear(16, 1),
    )
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.mse_loss(model(x[:80]), target[:80]).backward()
        optimiser.step()
    settings = AuditSettings(samples=12, bootstrap=300, permutations=300)
    result = audit(model.eval(), (x[80:], target[80:]), set_symmetry(6), settings=settings)
    assert result.verdict.holds.answer == result.verdict.transports.answer == "yes"
    assert "exactly, to rounding error" in result.verdict.summary
    assert len(result.elements) == 7
    for element in result.elements:
        assert element.equivariance_error.high < 1e-5
        assert element.pair_coherence["euclidean"].low > 1 - 1e-9
