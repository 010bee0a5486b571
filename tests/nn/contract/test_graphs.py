"""Compilers and exporters."""

import inspect
from importlib.util import find_spec

import pytest
import torch

from goldstone.core import trees
from tests.nn.contract.catalogue import ENTRIES
from tests.nn.contract.entry import drawn
from tests.nn.contract.test_precision import relative

FIRST = {entry.layer.__name__: next(iter(entry.cases.values())) for entry in ENTRIES}
"""One case of each layer: graphs take their time."""

UNABLE = {entry.layer.__name__: entry.unable for entry in ENTRIES}
INDUCTOR = ("SteerableConv2d",)


def able(ability):
    return [name for name in FIRST if ability not in UNABLE[name]]


def compiled(layer, backend):
    torch.compiler.reset()
    return torch.compile(layer, backend=backend, fullgraph=True)


def exported(layer, arguments):
    """For batches of any size."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    shapes = tuple({0: batch} for _ in arguments)
    kinds = [each.kind for each in inspect.signature(layer.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        shapes = (shapes,)
    return torch.export.export(layer, arguments, dynamic_shapes=shapes).module()


@pytest.mark.parametrize("name", able("compile"))
def test_compiled_in_one_graph(name):
    layer, arguments = drawn(FIRST[name].make()).train(), FIRST[name].arguments(3)
    graph = compiled(layer, "aot_eager")
    assert relative(graph(*arguments), layer(*arguments)) < 1e-5


@pytest.mark.parametrize("name", able("export"))
def test_exported_for_any_batch(name):
    case = FIRST[name]
    layer = drawn(case.make()).eval()
    program = exported(layer, case.arguments(3))
    for count in (3, 5):
        arguments = case.arguments(count)
        assert relative(program(*arguments), layer(*arguments)) < 1e-5


@pytest.mark.skipif(find_spec("onnxscript") is None, reason="the ONNX exporter is not installed")
@pytest.mark.parametrize("name", able("onnx"))
def test_onnx(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    case = FIRST[name]
    layer, arguments = drawn(case.make()).eval(), case.arguments(3)
    path = tmp_path / "layer.onnx"
    torch.onnx.export(layer, arguments, path, dynamo=True)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    found = session.run(None, dict(zip(names, [x.numpy() for x in arguments], strict=True)))
    expected = trees.leaves(layer(*arguments))
    for one, two in zip(found, expected, strict=True):
        assert relative(torch.from_numpy(one), two) < 1e-5
