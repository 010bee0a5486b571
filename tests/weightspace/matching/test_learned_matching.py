"""Learned elements: their gradients, the unchanged function, and what the loss gains."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError, generator
from goldstone.weightspace import (
    Alignment,
    LearnedAlignment,
    ParameterSymmetries,
    learned_matching,
    loss_barrier,
    parameter_symmetries,
    weight_matching,
)
from goldstone.weightspace.matching.latent_elements import LatentElements, polar
from goldstone.weightspace.matching.matched_units import matched_units
from goldstone.weightspace.matching.samples import Loss
from goldstone.weightspace.matching.steps import applied
from goldstone.weightspace.matching.weight_matching import chosen_symmetries
from tests.weightspace.networks import GPT, ResNet, mlp, randomised

TOKENS = torch.arange(60).reshape(10, 6) * 7 % 11


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def squared(out: Tensor, target: Tensor) -> Tensor:
    return (out - target).square().flatten(1).mean(1)


def nothing(model: nn.Module) -> Alignment:
    """The alignment that moves nothing."""
    return Alignment(dict(model.state_dict()), (), 0.0, 0.0, 0)


def test_gradient_of_the_polar_factor() -> None:
    x = normal(2, 4, 4).double().requires_grad_()
    torch.testing.assert_close(polar(x) @ polar(x).mT, torch.eye(4).double().expand(2, 4, 4))
    assert torch.autograd.gradcheck(polar, (x,))
    # Where singular values coincide, the SVD has no derivative; the polar factor has.
    same = torch.eye(3).double()[None].requires_grad_()
    assert torch.autograd.gradcheck(polar, (same,))


@pytest.mark.parametrize("norm", ["rms", "layer"])
def test_matrices_move_as_their_elements_do(norm: str) -> None:
    model = randomised(GPT(norm=norm)).double()
    symmetries, allowed = chosen_symmetries(parameter_symmetries(model, (TOKENS,)), None)
    latent = LatentElements(matched_units(symmetries, allowed))
    state = {name: x.detach() for name, x in model.state_dict().items()}
    latent.offsets = [
        0.7 * torch.randn(x.shape, dtype=torch.float64, generator=generator(3, k))
        for k, x in enumerate(latent.offsets)
    ]
    moved, expected = latent.moved(state), applied(state, latent.steps())
    for name in state:
        torch.testing.assert_close(moved[name], expected[name], atol=1e-9, rtol=1e-9)
    assert {one.kind for one in latent.symmetries} >= {"permutation", "general linear"}
    model.load_state_dict(moved)
    torch.testing.assert_close(
        model(TOKENS), torch.func.functional_call(model, state, (TOKENS,)), atol=1e-8, rtol=1e-8
    )


def test_bases_of_heads_are_learned_from_the_loss() -> None:
    """No weight is compared: a matrix of GL is undone by following the loss alone."""
    model = randomised(GPT(depth=1, norm="rms"))
    symmetries = parameter_symmetries(model, (TOKENS,))
    circuits = [one for one in symmetries.symmetries if one.kind == "general linear"]
    other = copy.deepcopy(model)
    state = other.state_dict()
    for k, one in enumerate(circuits):
        shift = 0.8 * torch.randn(one.copies, one.size, one.size, generator=generator(1, k))
        state = one.act((torch.eye(one.size) + shift).double(), state)
    other.load_state_dict(state)
    with torch.no_grad():
        targets = model(TOKENS)
    learned = learned_matching(
        model,
        other,
        [*circuits, *symmetries.permutations],
        TOKENS,
        targets,
        squared,
        kinds=("general linear",),
        start=nothing(other),
        steps=300,
        learning_rate=1e-2,
    )
    before = loss_barrier(model, other, TOKENS, targets, squared, points=5).barrier.estimate
    moved = learned.model(other)
    after = loss_barrier(model, moved, TOKENS, targets, squared, points=5).barrier.estimate
    assert before is not None
    assert after is not None
    assert after < 0.2 * before
    torch.testing.assert_close(moved(TOKENS), other(TOKENS), atol=1e-3, rtol=1e-3)
    again = learned.apply(other.state_dict())
    assert all(torch.equal(again[name], x) for name, x in learned.state_dict.items())


def test_permutations_are_learned_from_the_loss() -> None:
    """Straight-through gradients find better permutations, though not always the best one."""
    model = randomised(mlp(nn.GELU(), widths=(3, 6, 2)), scale=0.8)
    other = copy.deepcopy(model)
    symmetries = parameter_symmetries(model, (normal(2, 3),))
    symmetry = symmetries.permutations[0]
    other.load_state_dict(symmetry.act(torch.tensor([[1, 0, 2, 3, 4, 5]]), other.state_dict()))
    x = normal(200, 3)
    with torch.no_grad():
        y = model(x)
    learned = learned_matching(
        model, other, symmetries, x, y, squared, start=nothing(other), learning_rate=0.1
    )
    best = min(loss for _, loss in learned.middle)
    assert best < 0.5 * learned.middle[0][1]
    (step,) = learned.steps
    assert step[0] is symmetry
    # The units are those of the other network in another order, and the loss is what it says.
    order = step[1][0].argsort()
    state = {name: z.clone() for name, z in other.state_dict().items()}
    state["0.weight"], state["0.bias"] = state["0.weight"][order], state["0.bias"][order]
    state["2.weight"] = state["2.weight"][:, order]
    for name, z in state.items():
        assert torch.equal(learned.state_dict[name], z)
    middle = {name: (z + model.state_dict()[name]) / 2 for name, z in state.items()}
    with torch.no_grad():
        loss = squared(torch.func.functional_call(model, middle, (x,)), y).mean()
    assert best == pytest.approx(float(loss), rel=1e-5)


def test_never_worse_than_the_start_half_way() -> None:
    a, b = (randomised(ResNet(), seed=seed).eval() for seed in (0, 1))
    x, y = normal(32, 3, 8, 8), torch.arange(32) % 3
    symmetries = parameter_symmetries(a, (x[:2],))

    def loss(out: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(out, target, reduction="none")

    one, two = (
        learned_matching(a, b, symmetries, x, y, loss, steps=6, batch_size=8, learning_rate=0.3)
        for _ in range(2)
    )
    assert all(torch.equal(one.state_dict[name], z) for name, z in two.state_dict.items())
    assert len(one.losses) == 6
    kept = min(value for _, value in one.middle)
    assert kept <= one.middle[0][1]
    # What was kept is what is returned, and both run to the same loss half-way, in train mode.
    again = learned_matching(a, b, symmetries, x, y, loss, start=one, steps=1, batch_size=8)
    assert again.middle[0][1] == pytest.approx(kept, rel=1e-4)
    torch.testing.assert_close(one.model(b)(x), b(x), atol=1e-3, rtol=1e-3)


def test_shared_weights() -> None:
    a, b = (randomised(GPT(norm="rms", tied=True, depth=1), seed=seed) for seed in (0, 1))
    symmetries = parameter_symmetries(a, (TOKENS,))
    learned = learned_matching(
        a, b, symmetries, TOKENS, a(TOKENS).detach(), squared, steps=3, batch_size=4
    )
    state = learned.state_dict
    assert torch.equal(state["head.weight"], state["tokens.weight"])
    torch.testing.assert_close(learned.model(b)(TOKENS), b(TOKENS), atol=1e-3, rtol=1e-3)


def test_bad_input() -> None:
    model = mlp(nn.ReLU())
    symmetries = parameter_symmetries(model, (normal(2, 3),))
    x, y = normal(8, 3), normal(8, 2)
    with pytest.raises(InputError, match="nothing to learn"):
        # Hidden units of a ReLU network have no orthogonal freedom.
        learned_matching(model, model, symmetries, x, y, squared, kinds=("orthogonal",))
    with pytest.raises(InputError, match=r"expected a loss of shape \(8,\)"):
        learned_matching(model, model, symmetries, x, y, functional.mse_loss, steps=1)
    with pytest.raises(InputError, match="not finite"):
        learned_matching(model, model, symmetries, x, y, lambda out, _: out.sum(1) * torch.inf)
    with pytest.raises(InputError, match="only one of them"):
        learned_matching(model, mlp(nn.ReLU(), widths=(3, 2)), symmetries, x, y, squared)


def test_starts_from_weight_matching() -> None:
    model = randomised(mlp(nn.Tanh(), widths=(3, 8, 8, 2)))
    symmetries = parameter_symmetries(model, (normal(2, 3),))
    other = copy.deepcopy(model)
    state = other.state_dict()
    for k, one in enumerate(ParameterSymmetries(symmetries.symmetries).symmetries):
        state = one.act(one.random_element(generator(2, k)), state)
    other.load_state_dict(state)
    x = normal(20, 3)
    learned = learned_matching(
        model, other, symmetries, x, model(x).detach(), squared, steps=1, learning_rate=0.0
    )
    matched = weight_matching(model, other, symmetries)
    assert all(torch.equal(learned.state_dict[name], z) for name, z in matched.state_dict.items())
    assert learned.middle[0][1] < 1e-10


def test_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    a, b = (randomised(mlp(nn.GELU(), widths=(3, 5, 2)), seed=seed) for seed in (0, 1))
    x, y = normal(24, 3), normal(24, 2)
    symmetries = parameter_symmetries(a, (x[:2],))
    calls = 0

    def fragile(out: Tensor, target: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 40:
            raise KeyboardInterrupt
        return squared(out, target)

    def learned(loss: Loss, path: Path | None = None, steps: int = 40) -> LearnedAlignment:
        return learned_matching(
            a, b, symmetries, x, y, loss, steps=steps, batch_size=8, learning_rate=0.1,
            checkpoint=path,
        )  # fmt: skip

    path = tmp_path / "learning.pt"
    with pytest.raises(KeyboardInterrupt):
        learned(fragile, path)
    whole, resumed = learned(squared), learned(fragile, path)
    assert calls - 40 < 40 + 3 * 21
    assert resumed.losses == whole.losses
    assert resumed.middle == whole.middle
    assert all(torch.equal(resumed.state_dict[name], z) for name, z in whole.state_dict.items())
    before = calls
    assert learned(fragile, path).middle == whole.middle
    assert calls == before  # nothing is left to do
    with pytest.raises(InputError, match="other networks or settings"):
        learned(squared, path, steps=41)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read as a checkpoint"):
        learned(squared, path)
