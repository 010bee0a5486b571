"""Copies, files, states, printing and other devices."""

import copy
import inspect
import pickle

import pytest
import torch
from torch import nn

from goldstone.core import trees
from goldstone.nn import to_plain
from tests.nn.contract.catalogue import CASES, ENTRIES
from tests.nn.contract.entry import drawn
from tests.nn.contract.test_precision import able


def equal(found, expected):
    return torch.equal(trees.flat(found), trees.flat(expected))


def settled(case, **options):
    """Weights of no special values, and running statistics if there are any."""
    layer = drawn(case.make(**options)).train()
    with torch.no_grad():
        layer(*case.arguments(4))
    return layer


def inside(entry, model):
    """The layer itself, where the case has put something around it."""
    return next(module for module in model.modules() if type(module) is entry.layer)


def has_weights(entry, layer):
    """Of its own, and not those of a network that it is given."""
    given = {"model", "network"} & set(inspect.signature(entry.layer).parameters)
    return not given and any(True for _ in layer.parameters())


@pytest.mark.parametrize("name", CASES)
def test_copies_and_pickles(name):
    _, case = CASES[name]
    arguments = case.arguments(2)
    layer = settled(case)
    before = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    expected = layer.eval()(*arguments)
    after = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    for other in (*before, *after):
        assert equal(other.eval()(*arguments), expected)
    # A copy is none of the original.
    for parameter in before[0].parameters():
        parameter.data.add_(1)
    assert equal(layer(*arguments), expected)


@pytest.mark.parametrize("name", CASES)
def test_one_state_for_training_and_evaluation(name, tmp_path):
    _, case = CASES[name]
    arguments = case.arguments(2)
    layer = settled(case)
    torch.save(layer.train().state_dict(), tmp_path / "state.pt")
    names = set(layer.state_dict())
    expected = layer.eval()(*arguments)
    assert set(layer.state_dict()) == names
    fresh = case.make().eval()
    fresh.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert equal(fresh(*arguments), expected)
    # Nothing but weights and running statistics: bases are made anew.
    kept = sum(x.numel() for x in layer.state_dict().values())
    statistics = sum(x.numel() for key, x in layer.state_dict().items() if "running" in key)
    assert kept <= sum(p.numel() for p in layer.parameters()) + statistics + 1


@pytest.mark.parametrize("name", CASES)
def test_weights_come_from_the_generator(name):
    entry, case = CASES[name]
    layers = [inside(entry, case.make()), inside(entry, drawn(case.make()))]
    if not has_weights(entry, layers[0]):
        return
    for layer in layers:
        layer.reset_parameters(torch.Generator().manual_seed(3))
    for one, two in zip(*(layer.parameters() for layer in layers), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("name", CASES)
def test_other_devices(name):
    _, case = CASES[name]
    layer = case.make(device="meta", dtype=torch.float64)
    for tensor in (*layer.parameters(), *layer.buffers()):
        assert tensor.is_meta
    for parameter in layer.parameters():
        assert parameter.dtype in (torch.float64, torch.complex128)


@pytest.mark.parametrize("name", able("meta"))
def test_made_without_memory_and_filled(name):
    """As large models are loaded: shapes first, then weights."""
    _, case = CASES[name]
    layer = settled(case).eval()
    with torch.device("meta"):
        other = case.make().eval()
    assert all(tensor.is_meta for tensor in (*other.parameters(), *other.buffers()))
    other = other.to_empty(device="cpu")
    other.load_state_dict(layer.state_dict())
    arguments = case.arguments(2)
    assert equal(other(*arguments), layer(*arguments))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.layer.__name__)
def test_keywords(entry):
    """Layers with weights of their own take device and dtype, by keyword alone."""
    if not has_weights(entry, inside(entry, next(iter(entry.cases.values())).make())):
        return
    known = inspect.signature(entry.layer).parameters
    if "options" not in known:
        for keyword in ("device", "dtype"):
            assert known[keyword].kind is inspect.Parameter.KEYWORD_ONLY
            assert known[keyword].default is None


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.layer.__name__)
def test_printing(entry):
    shown = repr(inside(entry, next(iter(entry.cases.values())).make()))
    assert shown.startswith(entry.layer.__name__)
    assert "object at 0x" not in shown
    assert "function <" not in shown
    if entry.layer.__init__ is not nn.Module.__init__:
        assert len(shown) > len(entry.layer.__name__) + 2
    assert len(max(shown.splitlines(), key=len)) < 160


@pytest.mark.parametrize(
    "name", [name for name, (entry, _) in CASES.items() if hasattr(entry.layer, "to_plain")]
)
def test_the_plain_layer_is_equal(name):
    entry, case = CASES[name]
    arguments = case.arguments(3)
    layer = settled(case).eval()
    state = {key: value.clone() for key, value in layer.state_dict().items()}
    with torch.no_grad():
        expected = layer(*arguments)
        plain = to_plain(layer)
        if getattr(layer, "components", 1) is not None:  # else norms of vectors, which torch lacks
            assert not any(type(module) is entry.layer for module in plain.modules())
        torch.testing.assert_close(plain(*arguments), expected, rtol=1e-5, atol=1e-5)
    # The layer is left as it was.
    for key, value in layer.state_dict().items():
        assert torch.equal(value, state[key])
