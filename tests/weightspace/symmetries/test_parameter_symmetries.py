"""What is found, against what is known of these networks; every random element is tried."""

import pickle
from itertools import pairwise, permutations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError, SymmetryRefusedError, generator
from goldstone.systems.emulators import UNet, VisionTransformer
from goldstone.weightspace import (
    ParameterAxis,
    ParameterSymmetries,
    ParameterSymmetry,
    check_symmetries,
    parameter_symmetries,
    w_asymmetric,
)
from tests.weightspace.networks import GPT, PlainViT, ResNet, cnn, mlp, randomised

TOKENS = torch.arange(12).reshape(2, 6) % 11
POINTS = torch.linspace(-1.5, 2, 12).reshape(4, 3)


def image(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


def found(model: nn.Module, *inputs: Tensor) -> ParameterSymmetries:
    """The symmetries, after a random element of each has been tried."""
    randomised(model)
    symmetries = parameter_symmetries(model, inputs)
    checks = check_symmetries(model, inputs, symmetries)
    assert len(checks) == len(symmetries.symmetries)
    assert max((one.difference for one in checks), default=0.0) < 1e-10
    return symmetries


def summary(symmetries: ParameterSymmetries) -> list[tuple[str, str]]:
    return sorted((one.kind, one.group_name) for one in symmetries.symmetries)


def test_relu_mlp() -> None:
    symmetries = found(mlp(nn.ReLU()), POINTS)
    assert summary(symmetries) == [
        ("permutation", "S5"),
        ("permutation", "S6"),
        ("scaling", "ℝ₊^5"),
        ("scaling", "ℝ₊^6"),
    ]
    first = symmetries.permutations[0]
    assert [(axis.parameter, axis.axis) for axis in first.on_parameters] == [
        ("0.weight", 0),
        ("0.bias", 0),
        ("2.weight", 1),
    ]
    assert first.on_parameters[0].places == tuple(range(6))


def test_leaky_relu_scales_and_tanh_flips() -> None:
    assert ("scaling", "ℝ₊^6") in summary(found(mlp(nn.LeakyReLU()), POINTS))
    assert summary(found(mlp(nn.Tanh()), POINTS)) == [
        ("permutation", "S5"),
        ("permutation", "S6"),
        ("sign", "O(1)^5"),
        ("sign", "O(1)^6"),
    ]


def test_gelu_permutes_only() -> None:
    assert summary(found(mlp(nn.GELU()), POINTS)) == [("permutation", "S5"), ("permutation", "S6")]


def test_layer_norm_adds_scale_invariance() -> None:
    symmetries = found(mlp(nn.GELU(), norm=True), POINTS)
    scalings = symmetries.of_kind("uniform scaling")
    assert [one.parameters for one in scalings] == [("0.weight", "0.bias"), ("3.weight", "3.bias")]
    assert not any(one.exact for one in scalings)


def test_linear_network_has_general_linear_groups() -> None:
    symmetries = found(mlp(nn.Identity()), POINTS)
    assert [one.group_name for one in symmetries.continuous] == ["GL(6,ℝ)", "GL(5,ℝ)"]
    reading = symmetries.continuous[0].on_parameters[-1]
    assert (reading.parameter, reading.axis, reading.dual) == ("2.weight", 1, True)


def test_cnn_moves_all_pixels_of_a_channel_behind_flatten() -> None:
    symmetries = found(cnn(), image(2, 2, 8, 8))
    assert [one.group_name for one in symmetries.permutations] == ["S6", "S5"]
    last = symmetries.permutations[1].on_parameters[-1]
    assert (last.parameter, last.axis, last.shape) == ("6.weight", 1, (1, 5, 16))
    assert last.places == tuple(range(80))
    assert [one.group_name for one in symmetries.of_kind("scaling")] == ["ℝ₊^6", "ℝ₊^5"]


def test_resnet_in_eval_mode() -> None:
    symmetries = found(ResNet().eval(), image(2, 3, 8, 8))
    assert [one.group_name for one in symmetries.permutations] == ["S4", "S4", "S6", "S6"]
    stream = symmetries.permutations[0]
    # The residual stream of the first stage: everything that writes to it moves together.
    assert {
        "conv.weight",
        "bn.running_var",
        "blocks.0.conv2.weight",
        "blocks.1.conv1.weight",
    } <= set(stream.parameters)
    assert all(one.exact for one in symmetries.symmetries)


def test_resnet_in_train_mode() -> None:
    symmetries = found(ResNet().train(), image(4, 3, 8, 8))
    invariant = [one for one in symmetries.of_kind("scaling") if not one.exact]
    assert [one.parameters for one in invariant] == [
        ("conv.weight",),
        ("blocks.0.conv1.weight",),
        ("blocks.0.conv2.weight",),
        ("blocks.1.conv1.weight",),
        ("blocks.1.conv2.weight",),
        ("blocks.1.shortcut.0.weight",),
    ]


@pytest.mark.parametrize(
    ("norm", "stream"), [("layer", "orthogonal keeping ones"), ("rms", "orthogonal")]
)
def test_gpt(norm: str, stream: str) -> None:
    model = GPT(depth=2, norm=norm)  # type: ignore[arg-type]
    symmetries = found(model, TOKENS)
    (residual,) = symmetries.of_kind(stream)  # type: ignore[arg-type]
    assert residual.size == 8
    assert residual.lie_dimension == (21 if norm == "layer" else 28)
    circuits = symmetries.of_kind("general linear")
    assert [one.group_name for one in circuits] == ["GL(4,ℝ)^2"] * 4  # QK and OV of two layers
    heads = [one for one in symmetries.permutations if one.permutes == "blocks"]
    assert [one.group_name for one in heads] == ["S2", "S2"]
    qkv = next(axis for axis in heads[0].on_parameters if axis.parameter == "blocks.0.qkv.weight")
    assert sorted(qkv.places) == list(range(24))
    first = qkv.index[0, 0]
    assert sorted(first) == [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19]
    norm_weights = {"blocks.0.norm1.weight", "norm.weight"}
    assert norm_weights.isdisjoint(residual.parameters)
    assert any(axis.frame == "blocks.0.norm1.weight" for axis in residual.on_parameters)


def test_shared_embedding_moves_under_both_names() -> None:
    model = GPT(depth=1, norm="rms", tied=True)
    symmetries = found(model, TOKENS)
    assert symmetries.shared == (("head.weight", "tokens.weight"),)
    assert not symmetries.of_kind("orthogonal")  # read behind γ, written before it
    stream = next(one for one in symmetries.permutations if one.size == 8)
    moved = stream.act(stream.random_element(generator(0)), model.state_dict())
    assert torch.equal(moved["head.weight"], moved["tokens.weight"])
    assert not torch.equal(moved["head.weight"], model.head.weight)


def test_multihead_attention_and_class_token() -> None:
    symmetries = found(PlainViT().eval(), image(2, 1, 4, 4))
    (stream,) = symmetries.of_kind("orthogonal keeping ones")
    assert {"token", "positions", "embed.weight", "head.weight"} <= set(stream.parameters)
    assert [one.group_name for one in symmetries.of_kind("general linear")] == ["GL(4,ℝ)^2"] * 2


def test_vision_transformer_of_the_emulators() -> None:
    model = VisionTransformer(2, (8, 8), width=16, heads=2, depth=1).eval()
    symmetries = found(model, image(2, 2, 8, 8))
    assert ("permutation", "S64") in summary(symmetries)
    assert [one.group_name for one in symmetries.of_kind("general linear")] == ["GL(8,ℝ)^2"] * 2


def test_unet_permutes_groups_of_group_norm() -> None:
    model = UNet(2, base_channels=16, stages=1, blocks_per_stage=1, attention=False).eval()
    symmetries = found(model, image(1, 2, 8, 8))
    # 16 channels in 8 groups: two in a group change places. Skipped and upsampled features are
    # normalised together, four in a group: pairs of pairs change places, and the four quadruples.
    assert symmetries.unsupported == ()
    stream = [
        (one.group_name, one.on_parameters[0].shape)
        for one in symmetries.permutations
        if "first.convolution.weight" in one.parameters
    ]
    assert stream == [("S2^8", (8, 2, 1)), ("S2^4", (4, 2, 2)), ("S4", (1, 4, 4))]


def test_grouped_and_depthwise_convolution() -> None:
    model = nn.Sequential(
        nn.Conv2d(2, 6, 1),
        nn.ReLU(),
        nn.Conv2d(6, 6, 3, padding=1, groups=6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 1),
        nn.ReLU(),
        nn.Conv2d(8, 4, 3, groups=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 4, 2),
    )
    symmetries = found(model, image(2, 2, 4, 4))
    assert [one.size for one in symmetries.permutations if one.size == 6] == [6]
    depthwise = next(one for one in symmetries.permutations if one.size == 6)
    assert set(depthwise.parameters) == {
        "0.weight", "0.bias", "2.weight", "2.bias", "4.weight"
    }  # fmt: skip


def test_gated_mlp() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.Linear(3, 10)
            self.down = nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            gate, value = self.up(x).chunk(2, dim=-1)
            return self.down(functional.silu(gate) * value)

    symmetries = found(Gated(), POINTS)
    (units,) = symmetries.permutations
    assert units.on_parameters[0].index.tolist() == [[[i, i + 5] for i in range(5)]]
    # The value, not the gate, may be scaled and turned round.
    (scaling,) = symmetries.of_kind("scaling")
    assert scaling.on_parameters[0].places == (5, 6, 7, 8, 9)
    assert [one.group_name for one in symmetries.of_kind("sign")] == ["O(1)^5"]


def test_asymmetric_network_has_no_symmetry() -> None:
    model = w_asymmetric(mlp(nn.GELU(), widths=(6, 8, 8, 2)), fixed=2, seed=0)
    assert found(model, image(4, 6)).symmetries == ()


def test_position_of_units_counts_where_they_are_singled_out() -> None:
    class FirstOut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 6)
            self.out = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            hidden = functional.gelu(self.layer(x))
            return self.out(hidden) + hidden[:, :1] + hidden[:, 1:3].sum(1, keepdim=True)

    sizes = sorted(one.size for one in found(FirstOut(), POINTS).permutations)
    assert sizes == [2, 3]


def test_unsupported_operation_is_named_and_fixes_its_operands() -> None:
    class Sorted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.last = nn.Linear(3, 4), nn.Linear(4, 5), nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            hidden = functional.relu(self.first(x)).sort(dim=-1).values
            return self.last(functional.relu(self.second(hidden)))

    symmetries = found(Sorted(), POINTS)
    assert symmetries.unsupported == ("sort",)
    assert [one.size for one in symmetries.permutations] == [5]
    assert "sort" in str(symmetries)


def test_parameters_that_nothing_reads_are_named() -> None:
    model = mlp(nn.ReLU())
    model.spare = nn.Linear(2, 2)
    model.forward = lambda x: functional.relu(model[0](x))  # type: ignore[method-assign]
    assert "spare.weight" in parameter_symmetries(mlp_without_spare(), (POINTS,)).unused


def mlp_without_spare() -> nn.Module:
    class Spare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Linear(3, 2), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    return Spare()


def test_permutations_are_all_of_them_on_a_tiny_network() -> None:
    """Brute force: the joint permutations of two hidden layers that keep the function."""
    model = randomised(mlp(nn.GELU(), widths=(2, 3, 3, 1))).double()
    symmetries = parameter_symmetries(model, (POINTS[:, :2].double(),))
    state = model.state_dict()
    kept = set()
    for one in permutations(range(3)):
        for two in permutations(range(3)):
            moved = dict(state)
            for symmetry, order in zip(symmetries.permutations, (one, two), strict=True):
                moved = symmetry.act(torch.tensor([order]), moved)
            out = torch.func.functional_call(model, moved, (POINTS[:, :2].double(),))
            if torch.allclose(out, model(POINTS[:, :2].double()), atol=1e-12):
                kept.add((one, two))
            # The slow, obvious version of the same move.
            i, j = torch.tensor(one).argsort(), torch.tensor(two).argsort()
            assert torch.equal(moved["2.weight"], state["2.weight"][j][:, i])
    assert len(kept) == 36


@pytest.mark.parametrize("kind", ["relu", "gpt", "linear"])
def test_action_laws(kind: str) -> None:
    model, inputs = {
        "relu": (mlp(nn.ReLU()), POINTS),
        "gpt": (GPT(depth=1, norm="rms"), TOKENS),
        "linear": (mlp(nn.Identity()), POINTS),
    }[kind]
    state = randomised(model).double().state_dict()
    for number, symmetry in enumerate(parameter_symmetries(model.float(), (inputs,)).symmetries):
        a, b = (symmetry.random_element(generator(number, side)) for side in "ab")
        product = symmetry.group.compose(a, b)
        once = symmetry.act(product, state)
        twice = symmetry.act(a, symmetry.act(b, state))
        for name in symmetry.parameters:
            torch.testing.assert_close(once[name], twice[name], atol=1e-10, rtol=1e-10)
        back = symmetry.act(symmetry.group.inverse(a), symmetry.act(a, state))
        for name in symmetry.parameters:
            torch.testing.assert_close(back[name], state[name], atol=1e-10, rtol=1e-10)


def test_tangents_are_derivatives_of_the_action() -> None:
    model = randomised(GPT(depth=1, norm="layer", width=4)).double()
    state = model.state_dict()
    for symmetry in parameter_symmetries(model, (TOKENS,)).continuous:
        tangents = symmetry.tangents(state)
        group, step = symmetry.group, 1e-5
        dimension = symmetry.lie_dimension // symmetry.copies
        for row in range(0, symmetry.lie_dimension, 3):
            copy, k = divmod(row, dimension)
            ends = []
            for sign in (1, -1):
                x = torch.zeros(symmetry.copies, dimension, dtype=torch.float64)
                x[copy, k] = sign * step
                ends.append(symmetry.act(group.exp(x), state))
            for name in symmetry.parameters:
                slope = (ends[0][name] - ends[1][name]) / (2 * step)
                torch.testing.assert_close(tangents[name][row], slope, atol=1e-8, rtol=1e-6)


def test_false_symmetry_is_refused_with_the_measured_difference() -> None:
    model = randomised(mlp(nn.ReLU()))
    axes = (ParameterAxis("0.weight", 0, (1, 6, 1), tuple(range(6))),)
    false = ParameterSymmetry("0.weight[0]", "permutation", 6, 1, axes)
    with pytest.raises(SymmetryRefusedError, match=r"changes the outputs by \d+\.\d+"):
        check_symmetries(model, (POINTS,), [false])


def test_values() -> None:
    one, two = (parameter_symmetries(cnn(), (image(1, 2, 8, 8),)) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert pickle.loads(pickle.dumps(one)) == one
    for first, second in pairwise(one.symmetries):
        assert first != second


def test_bad_input() -> None:
    model = mlp(nn.ReLU())
    symmetries = parameter_symmetries(model, (POINTS,))
    with pytest.raises(InputError, match="another architecture"):
        symmetries.symmetries[0].act(torch.arange(6)[None], {"other": torch.zeros(1)})
    with pytest.raises(InputError, match=r"of shape \(1, 6\)"):
        symmetries.symmetries[0].act(torch.arange(6), model.state_dict())
    with torch.no_grad():
        model[0].weight[0, 0] = torch.nan
    with pytest.raises(InputError, match=r"not finite numbers, in 0\.weight"):
        check_symmetries(model, (POINTS,), symmetries)

    class Branching(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if float(x.sum()) > 0 else -x

    with pytest.raises(InputError, match=r"Branching cannot be traced by torch\.export"):
        parameter_symmetries(Branching(), (POINTS,))

    overlapping = nn.Module()
    memory = torch.randn(10)
    overlapping.a, overlapping.b = nn.Parameter(memory[:6]), nn.Parameter(memory[4:])
    with pytest.raises(InputError, match="a and b share memory"):
        parameter_symmetries(overlapping, (POINTS,))
