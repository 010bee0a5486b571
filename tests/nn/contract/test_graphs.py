"""Compilers and exporters."""

import inspect
from importlib.util import find_spec
from shutil import which

import pytest
import torch

from goldstone.core import trees
from tests.nn.contract.catalogue import ENTRIES
from tests.nn.contract.entry import drawn
from tests.nn.contract.test_precision import relative

FIRST = {entry.layer.__name__: next(iter(entry.cases.values())) for entry in ENTRIES}
"""One case of each layer: graphs take their time."""

UNABLE = {entry.layer.__name__: entry.unable for entry in ENTRIES}
INDUCTOR = ("GroupConv2d", "EquivariantLinear", "SetAttention")


def able(ability):
    """Each case once, though two layers may share it."""
    known = [name for name in FIRST if ability not in UNABLE[name]]
    return [name for k, name in enumerate(known) if FIRST[name] not in map(FIRST.get, known[:k])]


def unable(ability):
    return [name for name in FIRST if ability in UNABLE[name]]


def compiled(layer, backend="aot_eager", fullgraph=True):
    torch.compiler.reset()
    return torch.compile(layer, backend=backend, fullgraph=fullgraph)


def exported(layer, arguments):
    """For batches of any size."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    shapes = tuple({0: batch} for _ in arguments)
    kinds = [each.kind for each in inspect.signature(layer.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        shapes = (shapes,)
    return torch.export.export(layer, arguments, dynamic_shapes=shapes).module()


def in_onnxruntime(layer, arguments, path, runtime):
    torch.onnx.export(layer, arguments, path, dynamo=True)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    return session.run(None, dict(zip(names, [x.numpy() for x in arguments], strict=True)))


@pytest.mark.parametrize("name", able("compile"))
def test_compiled_in_one_graph(name):
    layer, arguments = drawn(FIRST[name].make()).eval(), FIRST[name].arguments(3)
    with torch.no_grad():
        assert relative(compiled(layer)(*arguments), layer(*arguments)) < 1e-5


@pytest.mark.skipif(which("g++") is None, reason="inductor needs a C++ compiler")
@pytest.mark.parametrize("name", INDUCTOR)
def test_compiled_to_code_and_trained(name):
    layer, arguments = drawn(FIRST[name].make()), FIRST[name].arguments(3)
    expected = layer(*arguments)
    wanted = torch.autograd.grad(expected.square().sum(), list(layer.parameters()))
    output = compiled(layer, "inductor")(*arguments)
    assert relative(output, expected) < 1e-5
    found = torch.autograd.grad(output.square().sum(), list(layer.parameters()))
    for one, two in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", able("export"))
def test_exported_for_any_batch(name):
    case = FIRST[name]
    layer = drawn(case.make()).eval()
    program = exported(layer, case.arguments(3))
    for count in (3, 5):
        arguments = case.arguments(count)
        assert relative(program(*arguments), layer(*arguments)) < 1e-5


@pytest.mark.parametrize("name", unable("compile"))
def test_what_is_not_one_graph_is_several(name):
    layer, arguments = drawn(FIRST[name].make()).eval(), FIRST[name].arguments(3)
    with torch.no_grad(), pytest.raises(Exception, match=r"\w"):
        compiled(layer)(*arguments)
    with torch.no_grad():
        graphs = compiled(layer, fullgraph=False)
        assert relative(graphs(*arguments), layer(*arguments)) < 1e-5


@pytest.mark.parametrize("name", unable("export"))
def test_what_is_said_not_to_be_exported_is_not(name):
    layer = drawn(FIRST[name].make()).eval()
    with pytest.raises(Exception, match=r"\w"):
        exported(layer, FIRST[name].arguments(3))


@pytest.mark.skipif(find_spec("onnxscript") is None, reason="the ONNX exporter is not installed")
@pytest.mark.parametrize("name", able("onnx"))
def test_onnx(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    case = FIRST[name]
    layer, arguments = drawn(case.make()).eval(), case.arguments(3)
    found = in_onnxruntime(layer, arguments, tmp_path / "layer.onnx", runtime)
    for one, two in zip(found, trees.leaves(layer(*arguments)), strict=True):
        assert relative(torch.from_numpy(one), two) < 1e-5


@pytest.mark.skipif(find_spec("onnxscript") is None, reason="the ONNX exporter is not installed")
@pytest.mark.parametrize("name", unable("onnx"))
def test_what_is_said_not_to_run_in_onnx_does_not(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    layer, arguments = drawn(FIRST[name].make()).eval(), FIRST[name].arguments(3)
    with pytest.raises(Exception, match=r"\w"):
        in_onnxruntime(layer, arguments, tmp_path / "layer.onnx", runtime)
