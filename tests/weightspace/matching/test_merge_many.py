"""Many networks merged; a narrow network in the shape of a wide one."""

import copy

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from goldstone.core import InputError, SymmetryRefusedError, generator
from goldstone.weightspace import (
    merge_many,
    parameter_symmetries,
    weight_matching,
    widened,
)
from tests.weightspace.networks import GPT, ResNet, cnn, mlp, randomised

TOKENS = torch.arange(60).reshape(10, 6) * 7 % 11


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def test_moved_copies_are_one_network() -> None:
    model = randomised(mlp(nn.ReLU(), widths=(3, 9, 7, 2)))
    symmetries = parameter_symmetries(model, (normal(2, 3),))
    models = [model]
    for seed in range(3):
        state = model.state_dict()
        for k, one in enumerate(symmetries.symmetries):
            state = one.act(one.random_element(generator(seed, k)), state)
        models.append(copy.deepcopy(model))
        models[-1].load_state_dict(state)
    merged = merge_many(models, symmetries)
    assert merged.spread[-1] < 1e-4 * merged.spread_before
    for name, x in model.state_dict().items():
        torch.testing.assert_close(merged.mean[name], x, atol=1e-4, rtol=1e-4)


def test_rounds_lower_the_spread_and_keep_the_functions() -> None:
    models = [randomised(mlp(nn.Tanh(), widths=(3, 12, 12, 2)), seed=seed) for seed in range(4)]
    symmetries = parameter_symmetries(models[0], (normal(2, 3),))
    merged = merge_many(models, symmetries, kinds=("permutation", "sign"))
    assert merged.spread_before > merged.spread[0] > merged.spread[-1]
    assert all(a >= b for a, b in zip(merged.spread, merged.spread[1:], strict=False))
    x = normal(20, 3)
    for model, state in zip(models, merged.state_dicts, strict=True):
        out = torch.func.functional_call(model, state, (x,))
        torch.testing.assert_close(out, model(x), atol=1e-5, rtol=1e-5)
    # The spread by its definition, and the mean.
    flat = torch.stack(
        [torch.cat([x.reshape(-1) for x in state.values()]) for state in merged.state_dicts]
    )
    expected = float((flat - flat.mean(0)).norm())
    assert merged.spread[-1] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(InputError, match="two or more"):
        merge_many(models[:1], symmetries)


WIDTHS: dict[str, tuple[nn.Module, nn.Module, Tensor]] = {
    "mlp": (
        mlp(nn.Sigmoid(), widths=(3, 5, 4, 2)),
        mlp(nn.Sigmoid(), widths=(3, 8, 4, 2)),
        normal(9, 3),
    ),
    "resnet": (ResNet((4, 6)).eval(), ResNet((5, 9)).eval(), normal(4, 3, 8, 8)),
    "hidden units of a transformer": (GPT(hidden=12), GPT(hidden=20), TOKENS),
    "residual stream after a flatten": (
        nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)),
        nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(20, 2)),
        normal(4, 1, 4, 4),
    ),
}


@pytest.mark.parametrize("name", WIDTHS)
def test_widened_network_is_the_same_function(name: str) -> None:
    narrow, wide, inputs = WIDTHS[name]
    narrow = randomised(copy.deepcopy(narrow))
    result = widened(narrow, wide, (inputs,))
    torch.testing.assert_close(result(inputs), narrow(inputs), atol=1e-5, rtol=1e-5)
    shapes = {key: x.shape for key, x in wide.state_dict().items()}
    assert {key: x.shape for key, x in result.state_dict().items()} == shapes


def test_matching_of_unequal_widths_is_rectangular_assignment() -> None:
    a = randomised(mlp(nn.GELU(), widths=(3, 7, 2)))
    b = randomised(mlp(nn.GELU(), widths=(3, 4, 2)), seed=1)
    inputs = normal(5, 3)
    symmetries = parameter_symmetries(a, (inputs,))
    alignment = weight_matching(a, widened(b, a, (inputs,)), symmetries)
    with torch.no_grad():
        units = [
            torch.cat([m[0].weight, m[0].bias[:, None], m[2].weight.T], 1).numpy() for m in (a, b)
        ]
    scores = units[0] @ units[1].T
    rows, columns = linear_sum_assignment(scores, maximize=True)
    found = alignment.state_dict["0.weight"].numpy()
    np.testing.assert_allclose(found[rows], b[0].weight.detach().numpy()[columns])
    assert np.abs(np.delete(found, rows, axis=0)).max() == 0.0
    out = alignment.model(a)(inputs)
    torch.testing.assert_close(out, b(inputs), atol=1e-5, rtol=1e-5)


def test_units_that_were_left_out_are_found() -> None:
    """b is a without its least units, in another order, which zeros make up for."""
    a = randomised(cnn())
    with torch.no_grad():
        a[3].weight[3:] = 0.0
        a[3].bias[3:] = 0.0
        a[6].weight[:, 48:] = 0.0
    b = nn.Sequential(*copy.deepcopy(list(a)))
    b[3], b[6] = nn.Conv2d(6, 3, 3, padding=1), nn.Linear(48, 3)
    order = [2, 0, 1]
    with torch.no_grad():
        b[3].weight.copy_(a[3].weight[order])
        b[3].bias.copy_(a[3].bias[order])
        b[6].weight.copy_(a[6].weight[:, :48].reshape(3, 3, 16)[:, order].reshape(3, 48))
        b[6].bias.copy_(a[6].bias)
    inputs = normal(4, 2, 8, 8)
    torch.testing.assert_close(a(inputs), b(inputs), atol=1e-5, rtol=1e-5)
    symmetries = parameter_symmetries(a, (inputs,))
    alignment = weight_matching(a, widened(b, a, (inputs,)), symmetries, kinds=("permutation",))
    for name, x in a.state_dict().items():
        torch.testing.assert_close(alignment.state_dict[name], x)


def test_widths_that_count_are_refused() -> None:
    narrow, wide = (randomised(mlp(nn.ReLU(), norm=True, widths=(3, n, 4, 2))) for n in (5, 8))
    with pytest.raises(SymmetryRefusedError, match=r"change the outputs by .* of their size"):
        widened(narrow, wide, (normal(4, 3),))


def test_bad_widths() -> None:
    inputs = (normal(4, 3),)
    a, b = mlp(nn.ReLU(), widths=(3, 5, 4, 2)), mlp(nn.ReLU(), widths=(3, 8, 3, 2))
    with pytest.raises(InputError, match="no axis longer"):
        widened(a, b, inputs)
    with pytest.raises(InputError, match="not interchangeable"):
        widened(a, mlp(nn.ReLU(), widths=(3, 5, 4, 3)), inputs)
    with pytest.raises(InputError, match="only one of them has"):
        widened(a, mlp(nn.ReLU(), widths=(3, 5, 2)), inputs)
