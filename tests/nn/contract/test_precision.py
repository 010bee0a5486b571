"""Gradients, mixed precision, half precision, and the way from one precision to another."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call

from goldstone.core import trees
from goldstone.testing import assert_equivariant
from tests.nn.contract.catalogue import CASES
from tests.nn.contract.entry import Whole, cast, drawn, states

HALVES = (torch.bfloat16, torch.float16)
HALF_ERROR = 0.05
"""Of bfloat16, whose numbers are 0.4 % apart, through a few products."""


def able(ability):
    """The cases of layers that claim it."""
    return [name for name, (entry, _) in CASES.items() if ability not in entry.unable]


def relative(found, expected):
    found, expected = (trees.flat(tree).detach().double() for tree in (found, expected))
    return float((found - expected).norm() / expected.norm())


def floats(inputs):
    return [x for x in inputs if x.is_floating_point() or x.is_complex()]


class Mixed(nn.Module):
    """A model in mixed precision, but not what moves its inputs."""

    def __init__(self, model, half):
        super().__init__()
        self.model, self.half = model, half

    def forward(self, *x):
        with torch.autocast("cpu", self.half):
            return self.model(*x)


@pytest.mark.parametrize("name", able("gradcheck"))
def test_derivatives_are_those_of_differences(name):
    _, case = CASES[name]
    layer = drawn(case.make(dtype=torch.float64)).eval()
    parameters = dict(layer.named_parameters())
    arguments = case.arguments(2, torch.float64)
    count = len(arguments)

    def function(*values):
        weights = dict(zip(parameters, values[count:], strict=True))
        return trees.flat(functional_call(layer, weights, values[:count]))

    given = [x.clone().requires_grad_() if x in floats((x,)) else x for x in arguments]
    values = (*given, *(p.detach().clone().requires_grad_() for p in parameters.values()))
    assert torch.autograd.gradcheck(function, values, fast_mode=True)


@pytest.mark.parametrize("name", CASES)
def test_every_parameter_learns(name):
    _, case = CASES[name]
    layer = drawn(case.make()).train()
    if not any(True for _ in layer.parameters()):
        return
    output = trees.flat(layer(*case.arguments(3)))
    (output * torch.randn(output.shape)).abs().square().sum().backward()
    for key, parameter in layer.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert not parameter.numel() or parameter.grad.abs().max() > 0, key


@pytest.mark.parametrize("half", HALVES, ids=str)
@pytest.mark.parametrize("name", able("autocast"))
def test_mixed_precision(name, half):
    _, case = CASES[name]
    model, x = Whole(case, drawn(case.make()).train()), states(case, torch.float32)
    arguments = x if isinstance(x, tuple) else (x,)
    expected = copy.deepcopy(model)(*arguments)
    mixed = Mixed(model, half)
    output = mixed(*arguments)
    assert relative(output, expected) < HALF_ERROR
    if any(p.requires_grad for p in model.parameters()):
        trees.flat(output).abs().float().square().mean().backward()
        for parameter in model.parameters():
            assert parameter.grad.isfinite().all()
            assert parameter.grad.dtype == parameter.dtype
    assert_equivariant(mixed.eval(), case.symmetry, x, tolerance=HALF_ERROR, samples=2)


@pytest.mark.parametrize("half", HALVES, ids=str)
@pytest.mark.parametrize("name", able("half"))
def test_half_precision(name, half):
    _, case = CASES[name]
    layer = drawn(case.make()).eval()
    arguments = case.arguments(3)
    if any(x.is_complex() for x in arguments):
        pytest.skip("complex numbers have no half precision")
    expected = layer(*arguments)
    found = copy.deepcopy(layer).to(half)(*cast(arguments, half))
    for leaf in trees.leaves(found):
        assert leaf.isfinite().all()
        assert leaf.dtype in (half, torch.float64)  # poses are chosen in float64
    assert relative(found, expected) < 2 * HALF_ERROR


@pytest.mark.parametrize("name", CASES)
def test_there_and_back(name):
    """To double precision and back nothing is lost."""
    _, case = CASES[name]
    layer = drawn(case.make()).eval()
    arguments = case.arguments(2)
    expected = layer(*arguments)
    again = copy.deepcopy(layer).double().float()
    assert torch.equal(trees.flat(again(*arguments)), trees.flat(expected))


@pytest.mark.parametrize("name", CASES)
def test_the_default_precision_is_torchs(name):
    _, case = CASES[name]
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        layer = case.make()
        output = layer(*case.arguments(2, torch.float64))
    finally:
        torch.set_default_dtype(before)
    for tensor in (*layer.parameters(), *trees.leaves(output)):
        assert tensor.dtype in (torch.float64, torch.complex128)
