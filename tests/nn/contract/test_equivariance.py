"""Every layer commutes with its group, in both precisions, and is more than a constant."""

import pytest
import torch
from torch import Tensor

from goldstone.core import trees
from goldstone.testing import LawError, assert_equivariant
from tests.nn.contract.catalogue import CASES, ENTRIES
from tests.nn.contract.entry import Whole, drawn, normal, states

DTYPES = (torch.float32, torch.float64)


def made(case, dtype=torch.float64, **options):
    return Whole(case, drawn(case.make(dtype=dtype, **options)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_it_commutes_with_the_group(name, dtype):
    _, case = CASES[name]
    tolerance = case.tolerance[DTYPES.index(dtype)]
    model, x = made(case, dtype), states(case, dtype)
    for mode in (True, False):
        assert_equivariant(model.train(mode), case.symmetry, x, tolerance=tolerance, samples=4)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_made_in_single_precision_serves_in_double(name):
    """Its bases are not rounded once and for all."""
    _, case = CASES[name]
    model = made(case, torch.float32)
    if any(p.is_complex() for p in model.parameters()):
        pytest.skip("torch's double() leaves complex parameters as they are")
    assert_equivariant(
        model.double().eval(), case.symmetry, states(case), tolerance=case.tolerance[1], samples=4
    )


@pytest.mark.parametrize("name", CASES)
def test_what_breaks_the_symmetry_is_seen(name):
    """Else the test above would pass for any layer."""
    _, case = CASES[name]
    if case.control is None:
        pytest.skip("a pattern on the features does not break it")
    model = made(case).eval()

    def broken(*x: Tensor) -> Tensor:
        patterned = list(x)
        pattern = normal(*x[case.control].shape[1:], seed=9).exp()
        patterned[case.control] = x[case.control] * pattern
        return model(*patterned)

    with pytest.raises(LawError, match="not equivariant"):
        assert_equivariant(broken, case.symmetry, states(case), tolerance=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_it_depends_on_all_that_it_is_given(name):
    _, case = CASES[name]
    model = made(case).eval()
    inputs = case.inputs(3)
    value = trees.flat(model(*inputs))
    for k, x in enumerate(inputs):
        others = [*inputs]
        others[k] = x.flip(0)
        change = trees.flat(model(*others)) - value
        assert change.norm() > 0.02 * value.norm()


@pytest.mark.parametrize("name", [name for name, (_, case) in CASES.items() if case.power])
def test_new_weights_keep_the_mean_square(name):
    _, case = CASES[name]
    layer = case.make(dtype=torch.float64)
    reset = getattr(layer, "reset_parameters", None)
    arguments = case.arguments(48, torch.float64)
    found = []
    for seed in range(40 if reset else 1):
        if reset:
            reset(torch.Generator().manual_seed(seed))
        with torch.no_grad():
            outputs = torch.cat([leaf.flatten() for leaf in trees.leaves(layer(*arguments))])
        found.append(float(outputs.abs().square().mean()))
    ratio = sum(found) / len(found) / float(arguments[0].abs().square().mean())
    low, high = case.power
    assert low < ratio < high, ratio


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.measured], ids=lambda entry: entry.layer.__name__
)
def test_what_is_not_exact_is_as_near_as_the_page_says(entry):
    assert entry.at_most / 10 < entry.measured() < entry.at_most
