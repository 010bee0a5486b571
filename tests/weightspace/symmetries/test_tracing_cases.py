"""Networks in which a symmetry was once claimed wrongly, or missed: one line for each."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.weightspace import ParameterSymmetries, check_symmetries, parameter_symmetries
from tests.weightspace.networks import randomised
from tests.weightspace.random_networks import RandomNetwork

POINTS = torch.linspace(-1.5, 2, 12).reshape(4, 3)
TOKENS = torch.linspace(-2, 2, 80).reshape(2, 5, 8).sin()
IMAGES = torch.linspace(-3, 3, 384).reshape(2, 3, 8, 8).cos()


class Net(nn.Module):
    """A network written in place: ``body(self, *inputs)`` with the modules given by name."""

    def __init__(self, body: Callable[..., Any], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.body = body
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs: Tensor) -> Any:
        return self.body(self, *inputs)


def free(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape))


def found(model: nn.Module, *inputs: Tensor) -> ParameterSymmetries:
    randomised(model)
    symmetries = parameter_symmetries(model, inputs)
    for seed in range(2):
        check_symmetries(model, inputs, symmetries, seed=seed)
    return symmetries


def summary(symmetries: ParameterSymmetries) -> set[tuple[str, str]]:
    return {(one.kind, one.group_name) for one in symmetries.symmetries}


def attention(kv_heads: int, **options: bool) -> nn.Module:
    """Four heads of queries over fewer of keys and values."""

    def body(net: Any, x: Tensor) -> Tensor:
        b, t, _ = x.shape
        q, k, v = (layer(x).view(b, t, -1, 4).transpose(1, 2) for layer in (net.q, net.k, net.v))
        y = functional.scaled_dot_product_attention(q, k, v, **options)
        return net.o(y.transpose(1, 2).reshape(b, t, 16))

    width = 4 * kv_heads
    return Net(
        body,
        q=nn.Linear(8, 16),
        k=nn.Linear(8, width),
        v=nn.Linear(8, width),
        o=nn.Linear(16, 8),
    )


def test_attention_over_one_shared_head() -> None:
    """Heads of queries change places; a change inside the keys' head moves all of them."""
    symmetries = found(attention(1), TOKENS)
    heads = [one for one in symmetries.permutations if one.permutes == "blocks"]
    assert sorted(one.group_name for one in heads) == ["S4", "S4", "S4"]
    by_name = {one.parameters: one for one in heads}
    assert by_name["q.weight", "q.bias", "o.weight"].size == 4
    assert {"k.weight", "q.weight"} <= set(
        next(one for one in heads if "k.weight" in one.parameters).parameters
    )


def test_grouped_query_attention() -> None:
    symmetries = found(attention(2, enable_gqa=True), TOKENS)
    assert symmetries.unsupported == ()
    circuits = symmetries.of_kind("general linear")
    assert [one.group_name for one in circuits] == ["GL(4,ℝ)^2", "GL(4,ℝ)^2"]


def test_causal_attention_fixes_the_order_of_learned_tokens() -> None:
    def body(net: Any, x: Tensor, causal: bool) -> Tensor:
        tokens = net.tokens[None]
        y = functional.scaled_dot_product_attention(tokens, tokens, tokens, is_causal=causal)
        return net.out(y.mean(1) + x)

    parts = {"tokens": free(5, 3), "out": nn.Linear(3, 3)}
    free_order = found(Net(lambda net, x: body(net, x, False), **parts), POINTS)
    assert ("permutation", "S5") in summary(free_order)
    assert found(Net(lambda net, x: body(net, x, True), **parts), POINTS).symmetries == ()


def test_running_sums_fix_the_order_of_units() -> None:
    net = Net(lambda net, x: net.o(net.i(x).cumsum(-1)), i=nn.Linear(3, 6), o=nn.Linear(6, 2))
    assert found(net, POINTS).permutations == ()


@pytest.mark.parametrize("order", ["norm first", "stream first", "two norms"])
def test_joined_frames_admit_no_one_matrix(order: str) -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        stream = net.i(x)
        parts = {
            "norm first": [net.n(stream), stream],
            "stream first": [stream, net.n(stream)],
            "two norms": [net.n(stream), net.m(stream)],
        }[order]
        return net.o(torch.cat(parts, -1))

    net = Net(body, i=nn.Linear(3, 6), n=nn.RMSNorm(6), m=nn.RMSNorm(6), o=nn.Linear(12, 2))
    symmetries = found(net, POINTS)
    assert symmetries.of_kind("orthogonal") == ()
    assert ("permutation", "S6") in summary(symmetries)


def test_grouped_transposed_convolution() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 6, 2, groups=2),
        nn.ReLU(),
        nn.Conv2d(6, 2, 1),
    )
    symmetries = found(model, IMAGES)
    assert ("permutation", "S4^2") in summary(symmetries)  # in each group
    assert ("permutation", "S8") not in summary(symmetries)


def test_outer_products_of_units() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        one, two = functional.relu(net.i(x)), net.j(x).sin()
        return net.o((one[:, :, None] * two[:, None, :]).flatten(1))

    two = Net(body, i=nn.Linear(3, 4), j=nn.Linear(3, 5), o=nn.Linear(20, 2))
    assert {("permutation", "S4"), ("permutation", "S5")} <= summary(found(two, POINTS))
    shared = nn.Linear(3, 4)
    found(Net(body, i=shared, j=shared, o=nn.Linear(16, 2)), POINTS)


def test_conversion_to_integers_is_no_linear_map() -> None:
    net = Net(
        lambda net, x: net.o(functional.relu(net.i(x)).long().to(x.dtype)),
        i=nn.Linear(3, 6),
        o=nn.Linear(6, 2),
    )
    assert summary(found(net, 5 * POINTS)) == {("permutation", "S6")}


def test_places_of_maxima_move_with_what_they_are_found_in() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        return net.e(net.i(x).max(1).indices).flatten(1)

    net = Net(body, i=nn.Linear(8, 6), e=nn.Embedding(5, 3))
    symmetries = found(net, TOKENS)
    assert symmetries.unsupported == ("max",)
    values = Net(lambda net, x: net.o(net.i(x).max(1).values), i=nn.Linear(8, 6), o=nn.Linear(6, 2))
    assert summary(found(values, TOKENS)) == {("permutation", "S6"), ("scaling", "ℝ₊^6")}


def test_images_without_batch() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 2, 1), nn.AdaptiveAvgPool2d(1)
    )
    assert summary(found(model, IMAGES[0])) == {("permutation", "S6"), ("scaling", "ℝ₊^6")}


def test_activations_and_norms_with_weights_of_their_own() -> None:
    prelu = nn.Sequential(nn.Linear(3, 6), nn.PReLU(6), nn.Linear(6, 2))
    assert summary(found(prelu, POINTS)) == {("permutation", "S6"), ("scaling", "ℝ₊^6")}
    reparametrised = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(3, 6)), nn.ReLU(), nn.Linear(6, 2)
    )
    symmetries = found(reparametrised, POINTS)
    assert ("permutation", "S6") in summary(symmetries)
    assert [one.exact for one in symmetries.of_kind("scaling")] == [True, False]


@pytest.mark.parametrize(
    "norm",
    [
        nn.InstanceNorm2d(6, affine=True),
        nn.BatchNorm2d(6, track_running_stats=False),
        nn.BatchNorm2d(6, affine=False),
    ],
)
def test_norms_of_channels(norm: nn.Module) -> None:
    model = nn.Sequential(nn.Conv2d(3, 6, 3), norm, nn.ReLU(), nn.Conv2d(6, 2, 1)).eval()
    symmetries = found(model, IMAGES)
    assert symmetries.unsupported == ()
    assert ("permutation", "S6") in summary(symmetries)


def test_normalised_vectors_turn() -> None:
    net = Net(
        lambda net, x: net.o(functional.normalize(net.i(x), dim=-1)),
        i=nn.Linear(3, 6),
        o=nn.Linear(6, 2),
    )
    assert ("orthogonal", "O(6)") in summary(found(net, POINTS))


def test_branches_are_named() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        hidden = net.a(x)
        return net.o(torch.cond(x.sum() > 0, lambda z: z + 1, lambda z: z - 1, (hidden,)))

    net = Net(body, a=nn.Linear(3, 6), o=nn.Linear(6, 2))
    assert "cond" in found(net, POINTS).unsupported


def test_random_networks_are_named() -> None:
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 2))
    symmetries = parameter_symmetries(model, (POINTS,))
    assert ("permutation", "S6") in summary(symmetries)
    with pytest.raises(InputError, match=r"call eval\(\)"):
        check_symmetries(model, (POINTS,), symmetries)
    check_symmetries(model.eval(), (POINTS,), symmetries)


def by_hand(centred: bool) -> Callable[..., Tensor]:
    def body(net: Any, x: Tensor) -> Tensor:
        h = net.i(x)
        if centred:
            h = h - h.mean(-1, keepdim=True)
            variance = h.var(-1, unbiased=False, keepdim=True)
        else:
            variance = h.pow(2).mean(-1, keepdim=True)
        return net.o(net.w * (h * torch.rsqrt(variance + 1e-6)))

    return body


@pytest.mark.parametrize(
    ("centred", "kind"), [(False, "orthogonal"), (True, "orthogonal keeping ones")]
)
def test_norms_written_by_hand(centred: bool, kind: str) -> None:
    parts = {"i": nn.Linear(3, 6), "w": free(6), "o": nn.Linear(6, 2)}
    symmetries = found(Net(by_hand(centred), **parts), POINTS)
    assert symmetries.unsupported == ()
    (stream,) = symmetries.of_kind(kind)  # type: ignore[arg-type]
    assert stream.size == 6
    assert stream.on_parameters[-1].frame == "w"


def test_squares_that_something_else_reads_admit_no_matrix() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        squares = net.i(x).pow(2)
        return net.o(squares) + squares.sum(-1, keepdim=True)

    net = Net(body, i=nn.Linear(3, 6), o=nn.Linear(6, 2))
    assert summary(found(net, POINTS)) == {("permutation", "S6")}


def test_sums_of_units_admit_matrices_that_keep_ones() -> None:
    net = Net(lambda net, x: net.i(x).sum(-1), i=nn.Linear(3, 6))
    assert summary(found(net, POINTS)) == {
        ("permutation", "S6"),
        ("orthogonal keeping ones", "O(5)"),
    }


def test_a_norm_with_a_zero_weight_has_no_frame() -> None:
    model = nn.Sequential(nn.Linear(3, 6), nn.RMSNorm(6), nn.Linear(6, 2))
    (turn,) = found(model, POINTS).of_kind("orthogonal")
    with torch.no_grad():
        model[1].weight[2] = 0.0
    with pytest.raises(InputError, match=r"1\.weight has a zero"):
        turn.act(torch.eye(6)[None].double(), model.state_dict())


def test_inputs_come_in_a_tuple() -> None:
    with pytest.raises(InputError, match=r"pass \(x,\)"):
        parameter_symmetries(nn.Linear(3, 2), POINTS)  # type: ignore[arg-type]


def test_a_gain_before_a_norm_leaves_no_matrix() -> None:
    """D g D⁻¹ is not orthogonal: the norm behind the gain would see it."""
    net = Net(
        lambda net, x: net.o(net.n(net.gain * net.i(x))),
        i=nn.Linear(3, 6),
        gain=free(6),
        n=nn.RMSNorm(6),
        o=nn.Linear(6, 2),
    )
    symmetries = found(net, POINTS)
    assert symmetries.of_kind("orthogonal", "general linear") == ()
    assert ("permutation", "S6") in summary(symmetries)


def test_units_with_several_places_in_a_gain() -> None:
    """Two channels of each group move as one unit, with two entries of the norm's weight."""
    net = Net(
        lambda net, x: net.o(net.n(net.i(x).repeat_interleave(2, 1))),
        i=nn.Linear(3, 4),
        n=nn.GroupNorm(1, 8),
        o=nn.Linear(8, 2),
    )
    assert ("permutation", "S4") in summary(found(net, POINTS))


def test_what_a_norm_sees_grows() -> None:
    """The first place shrinks there, and the check goes to where ε does not count."""
    gain = free(6)
    net = Net(
        lambda net, x: net.n(net.gain * x * torch.sigmoid(net.gate(net.gain * x))),
        gate=nn.Linear(6, 6),
        gain=gain,
        n=nn.BatchNorm1d(6, affine=False),
    )
    symmetries = found(net, torch.linspace(-2, 2, 30).reshape(5, 6).sin())
    (scaling,) = symmetries.of_kind("scaling")
    assert not scaling.exact
    assert {axis.parameter: axis.dual for axis in scaling.on_parameters} == {
        "gate.weight": True,
        "gain": False,
    }


def test_a_gain_divided_twice() -> None:
    """The weight of the norm takes up the factor of what it reads and that of its reader."""
    net = Net(
        lambda net, x: functional.linear(net.n(net.i(x)), net.i.weight.t()),
        i=nn.Linear(3, 6),
        n=nn.BatchNorm1d(6),
    ).eval()
    (scaling,) = found(net, POINTS).of_kind("scaling")
    assert [axis.dual for axis in scaling.on_parameters if axis.parameter == "n.weight"] == [
        True,
        True,
    ]


@pytest.mark.parametrize("seed", [59, 122, 210])
def test_random_networks_that_once_failed(seed: int) -> None:
    inputs = torch.randn(5, 6, generator=torch.Generator().manual_seed(seed))
    found(RandomNetwork(seed).train(seed % 2 == 0), inputs)
