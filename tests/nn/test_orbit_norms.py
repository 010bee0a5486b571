"""Normalisation of fields: equivariant in training, and equal to slow sums over each field."""

import copy
import pickle

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, PolyhedralGroup
from goldstone.nn import OrbitBatchNorm2d, OrbitGroupNorm2d, OrbitGroupNorm3d
from goldstone.nn.turning_error import turning_error
from goldstone.representations import (
    DirectSum,
    MatrixRepresentation,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)

D4 = DihedralGroup(4)
FIELDS = multiple(RegularRepresentation(D4), 4)
MIXED = DirectSum(
    D4,
    (
        RegularRepresentation(D4),
        StandardRepresentation(D4),
        TrivialRepresentation(D4),
        StandardRepresentation(D4),
    ),
)


def noise(*shape, seed=0):
    x = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return 2 * x + 0.7


def randomised(layer):
    with torch.no_grad():
        for k, parameter in enumerate(layer.parameters()):
            parameter.copy_(noise(*parameter.shape, seed=k))
    return layer


def layers(representation):
    options = {"dtype": torch.float64}
    return [
        randomised(OrbitBatchNorm2d(representation, **options)),
        randomised(OrbitBatchNorm2d(representation, **options)).eval(),
        randomised(OrbitGroupNorm2d(representation, **options)),
        randomised(OrbitGroupNorm2d(representation, 2, **options)),
        OrbitBatchNorm2d(representation, affine=False, **options),
        OrbitGroupNorm2d(representation, affine=False, **options),
    ]


@pytest.mark.parametrize("representation", [FIELDS, MIXED], ids=["fields", "mixed"])
def test_equivariance(representation):
    x = noise(3, representation.dimension, 5, 5)
    for layer in layers(representation):
        assert turning_error(layer, representation, representation, x) < 1e-13
        compiled = torch.compile(copy.deepcopy(layer).eval(), backend="aot_eager", fullgraph=True)
        torch.testing.assert_close(compiled(x), copy.deepcopy(layer).eval()(x))
        again = pickle.loads(pickle.dumps(layer))
        assert torch.equal(again(x), layer(x))


def slow(x, layer, fields, centred, dims):
    """Every field by itself: mean and variance over ``dims`` of (batch, component, X, Y)."""
    out, start = [], 0
    for k, size in enumerate(fields):
        part = x[:, start : start + size]
        mean = part.mean(dims, keepdim=True) if centred[k] else 0.0
        variance = (part - mean).square().mean(dims, keepdim=True)
        bias = layer.bias[k] if centred[k] else 0.0
        out.append((part - mean) / (variance + layer.eps).sqrt() * layer.weight[k] + bias)
        start += size
    return torch.cat(out, 1)


@pytest.mark.parametrize(
    ("representation", "fields", "centred"),
    [(FIELDS, [8] * 4, [1] * 4), (MIXED, [8, 2, 1, 2], [1, 0, 1, 0])],
    ids=["fields", "mixed"],
)
def test_batch_norm_is_its_definition(representation, fields, centred):
    layer = randomised(OrbitBatchNorm2d(representation, dtype=torch.float64))
    x = noise(3, representation.dimension, 5, 6)
    expected = slow(x, layer, fields, centred, (0, 1, 2, 3))
    torch.testing.assert_close(layer(x), expected)
    # Statistics as torch's: unbiased variances, and eval uses them.
    start = 0
    for k, size in enumerate(fields):
        part = x[:, start : start + size]
        variance = part.var() if centred[k] else part.square().mean()
        mean = float(part.mean()) if centred[k] else 0.0
        assert float(layer.running_mean[k]) == pytest.approx(0.1 * mean)
        assert float(layer.running_var[k]) == pytest.approx(0.9 + 0.1 * float(variance))
        start += size
    assert int(layer.num_batches_tracked) == 1
    layer.eval()
    torch.testing.assert_close(layer.to_plain()(x), layer(x))


def test_instance_norm_is_its_definition():
    layer = randomised(OrbitGroupNorm2d(FIELDS, dtype=torch.float64))
    x = noise(1, 32, 5, 6)
    torch.testing.assert_close(layer(x), slow(x, layer, [8] * 4, [1] * 4, (0, 1, 2, 3)))


def test_runs_of_mixed_parts_share_their_mean_square():
    layer = OrbitGroupNorm2d(MIXED, 2, dtype=torch.float64)
    x = noise(1, 13, 5, 6)
    y = layer(x)
    first = (x[:, :8].square().mean() + x[:, 8:10].square().mean()) / 2
    torch.testing.assert_close(y[:, :10], x[:, :10] / (first + 1e-5).sqrt())


@pytest.mark.parametrize("representation", [FIELDS, MIXED], ids=["fields", "mixed"])
def test_one_state_for_training_and_evaluation(representation):
    layer = OrbitBatchNorm2d(representation)
    layer(noise(3, representation.dimension, 5, 5).float())
    fresh = OrbitBatchNorm2d(representation).eval()
    fresh.load_state_dict(layer.state_dict())
    names = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    assert set(layer.state_dict()) == names
    x = noise(2, representation.dimension, 4, 4).float()
    assert torch.equal(fresh(x), layer.eval()(x))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.isfinite(layer.train()(x.bfloat16())).all()


@pytest.mark.parametrize("representation", [FIELDS, MIXED], ids=["fields", "mixed"])
def test_the_plain_mean_of_all_batches(representation):
    """Without momentum, as torch's."""
    layer = OrbitBatchNorm2d(representation, momentum=None, dtype=torch.float64)
    batches = [noise(3, representation.dimension, 4, 4, seed=seed) for seed in range(3)]
    each = []
    for batch in batches:
        fresh = OrbitBatchNorm2d(representation, momentum=1.0, dtype=torch.float64)
        fresh(batch)
        each.append(fresh.running_var)
        layer(batch)
    torch.testing.assert_close(layer.running_var, sum(each) / 3)


def test_volumes():
    cube = multiple(RegularRepresentation(PolyhedralGroup("O")), 4)
    vectors = multiple(StandardRepresentation(PolyhedralGroup("O")), 4)
    for representation, centred in ((cube, 1), (vectors, 0)):
        x = noise(2, representation.dimension, 3, 4, 5)
        layer = randomised(OrbitGroupNorm3d(representation, dtype=torch.float64))
        size = representation.dimension // 4
        for k, sample in enumerate(x):
            expected = slow(sample[None], layer, [size] * 4, [centred] * 4, (0, 1, 2, 3, 4))
            torch.testing.assert_close(layer(x)[k : k + 1], expected)
        x = noise(2, representation.dimension, 4, 4, 4)
        for groups in (None, 2):
            layer = randomised(OrbitGroupNorm3d(representation, groups, dtype=torch.float64))
            assert turning_error(layer, representation, representation, x) < 1e-13


def test_folded_group_norms():
    x = noise(2, 32, 5, 6)
    for layer in (
        randomised(OrbitGroupNorm2d(FIELDS, 2, dtype=torch.float64)),
        OrbitGroupNorm2d(FIELDS, affine=False, dtype=torch.float64),
    ):
        assert isinstance(layer.to_plain(), torch.nn.GroupNorm)
        torch.testing.assert_close(layer.to_plain()(x), layer(x))
    mixed = OrbitGroupNorm2d(MIXED)
    assert mixed.to_plain() is mixed


def test_errors():
    skew = MatrixRepresentation(CyclicGroup(2), (1,), torch.tensor([[[1.0, 1.0], [0.0, -1.0]]]))
    with pytest.raises(InputError, match="not unitary"):
        OrbitBatchNorm2d(skew)
    with pytest.raises(InputError, match="divides the 4 fields, got 3"):
        OrbitGroupNorm2d(FIELDS, 3)
    with pytest.raises(InputError, match="expected 32 components along axis 1"):
        OrbitBatchNorm2d(FIELDS)(noise(1, 31, 4, 4))
    for layer in (OrbitBatchNorm2d(FIELDS), OrbitGroupNorm2d(FIELDS)):
        with pytest.raises(InputError, match=r"grid of 2 axes, got shape \(1, 32, 4\)"):
            layer(noise(1, 32, 4))
    for wrong in (32, D4):
        with pytest.raises(InputError, match="a representation that says what the channels are"):
            OrbitBatchNorm2d(wrong)
