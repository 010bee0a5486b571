"""Looking at a model before any work is spent on it."""

import copy
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from goldstone.core import InputError, trees
from goldstone.core.trees import Tree

_RANDOM_IN_TRAINING = (
    nn.modules.dropout._DropoutNd,
    nn.modules.batchnorm._BatchNorm,
)
_WRAP = "wrap the model in an nn.Module that returns {}"


def model_place(model: nn.Module, inputs: Tree = ()) -> tuple[torch.device, torch.dtype]:
    """Device and real dtype of the model's first parameter or buffer.

    Without any, those of the first of ``inputs`` that holds real or complex numbers; else CPU
    float32.

    Raises:
        InputError: a parameter has no values: it is on the meta device, or of a lazy layer that was
            never called.
    """
    tensors = (*model.named_parameters(), *model.named_buffers())
    for name, tensor in tensors:
        if is_lazy(tensor):
            raise InputError(
                f"parameter {name!r} belongs to a lazy layer and has no shape yet; call the model "
                "on a batch of the data first"
            )
        if tensor.is_meta:
            raise InputError(
                f"{name!r} is on the meta device and has no values; load the weights first"
            )
    for tensor in (*(tensor for _, tensor in tensors), *trees.leaves(inputs)):
        if trees.is_continuous(tensor):
            return tensor.device, tensor.real.dtype if tensor.is_complex() else tensor.dtype
    return torch.device("cpu"), torch.float32


def predict(model: nn.Module, inputs: Tree, batch: int = 32) -> Tree:
    """The model's outputs without gradients, ``batch`` samples at a time; buffers stay as found."""
    with torch.no_grad(), buffers_kept(model):
        outputs = [trees.call_model(model, chunk) for chunk in trees.chunks(inputs, batch)]
        return trees.map_leaves(Tensor.detach, trees.concatenate(outputs))


@contextmanager
def buffers_kept(model: nn.Module) -> Iterator[None]:
    """Afterwards every buffer has the values that it had before."""
    before = [(b, b.detach().clone()) for b in model.buffers() if not is_lazy(b)]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in before:
                if not torch.equal(buffer, value):
                    buffer.copy_(value)


def check_model(model: nn.Module, inputs: Tree, targets: Tree | None = None) -> None:
    """Run the model on three samples and refuse what would make every number wrong.

    Raises:
        InputError: dropout or batch normalisation in training mode, or other layers that change
            their buffers as they are called; an output that is no tensor or tree of tensors, or of
            another shape than the target (if it is given), or not finite; an input changed in
            place; outputs that differ from call to call, or that depend on batch mates.
    """
    for name, module in model.named_modules():
        # A normalisation that tracks its statistics would change as it is looked at.
        tracks = getattr(module, "track_running_stats", False)
        if module.training and (tracks or isinstance(module, _RANDOM_IN_TRAINING)):
            raise InputError(
                f"module {name or 'model'!r} ({type(module).__name__}) is in training mode, so its "
                "output depends on chance, on the batch or on earlier calls; call model.eval() "
                "first"
            )
    model_place(model)
    given = trees.take(inputs, slice(3))
    few = trees.map_leaves(Tensor.clone, given)
    with buffers_kept(model):
        output = _call(model, few)
        if not trees.equal(given, few):
            raise InputError(
                "the model changes its input in place, as a first layer with inplace=True does, so "
                "that later calls would see other data; have it work on a copy"
            )
        _check_output(output, trees.batch_size(few))
        if targets is not None:
            _check_shape(output, trees.take(targets, slice(3)))
        values = trees.flat(output).detach()
        if not bool(torch.isfinite(values).all()):
            raise InputError(
                "the model's output has NaN or infinite values on the first samples; check its "
                "weights and that the data are in the units it was trained in"
            )
        settled = {name: buffer.detach().clone() for name, buffer in model.named_buffers()}
        tolerance = slack(values)
        again = trees.flat(_call(model, few)).detach()
        if float((again - values).abs().max()) > tolerance:
            raise InputError(
                "two calls on the same input differ: the model is stochastic; only deterministic "
                "models can be audited (a symmetry in distribution is not supported)"
            )
        for name, buffer in model.named_buffers():
            # Counters of calls are no matter.
            if trees.is_continuous(buffer) and not torch.equal(buffer, settled.get(name, buffer)):
                raise InputError(
                    f"each call changes the buffer {name!r}, so that later outputs depend on "
                    "earlier ones (running statistics, or the power iteration of a spectral norm); "
                    "call model.eval() first"
                )
        alone = trees.flat(_call(model, trees.take(few, slice(1)))).detach()
        if float((alone - values[:1]).abs().max()) > tolerance:
            raise InputError(
                "a sample's output depends on the other samples of its batch (batch statistics?); "
                "per-sample gradients have no meaning then"
            )


def slack(values: Tensor) -> float:
    """How far two evaluations of the same may be apart: 1000 ε, at most 3 %, of the largest."""
    return min(1e3 * torch.finfo(values.dtype).eps, 0.03) * float(values.abs().max())


def _call(model: nn.Module, few: Tree) -> Tree:
    """The output, or what failed, whatever a model raises."""
    try:
        with torch.no_grad():
            return trees.call_model(model, few)
    except Exception as error:
        axes = " (batch, channel, X, Y)" if isinstance(few, Tensor) and few.ndim == 4 else ""
        # Some errors, such as a bare assertion's, say nothing but their kind.
        said = str(error) or type(error).__name__
        mend = "build it for this shape, or choose other data"
        if not any(map(trees.is_continuous, trees.leaves(few))):
            mend += "; the inputs hold integers: call .float() on what are no labels or tokens"
        raise InputError(
            f"the model fails on inputs of shape {trees.describe(few)}{axes}, as the "
            f"data have it: {said}; {mend}"
        ) from error


def _check_output(output: Tree, samples: int) -> None:
    """A tensor or a tree of tensors, as many samples as there are inputs."""
    try:
        found = trees.batch_size(output)
    except InputError as error:
        raise InputError(
            f"the model's output cannot be audited: {error}; {_WRAP.format('the tensors')}"
        ) from error
    if found != samples:
        raise InputError(
            f"expected an output for each of {samples} samples, got shape {trees.describe(output)}"
        )


def _check_shape(output: Tree, expected: Tree) -> None:
    """A prediction has the target's shape, unless the target is of class labels."""
    wanted = trees.leaves(expected)
    labels = not any(map(trees.is_continuous, wanted))
    if trees.same_shapes(output, expected) or (labels and isinstance(output, Tensor)):
        return
    kind = "" if isinstance(output, Tensor) else f"{type(output).__name__} "
    raise InputError(
        f"expected an output of the target's shape {trees.describe(expected)}, got "
        f"{kind}{trees.describe(output)}; {_WRAP.format('the predicted fields')}"
    )


def numerical_floor(model: nn.Module, inputs: Tree) -> float:
    """Relative rounding error of the output: ‖f − f₆₄‖/‖f₆₄‖ against a float64 copy of the model.

    The mean over samples, as equivariance errors are, so that small outputs count alike in both;
    at most ten times that of all samples together, lest one output near zero decide. At least the
    machine epsilon; the epsilon alone if the model cannot run in float64. For a float64 model the
    same is measured from float32 and scaled by the ratio of epsilons.
    """
    dtype = model_place(model, inputs)[1]
    epsilon = torch.finfo(dtype).eps
    low = dtype if dtype != torch.float64 else torch.float32
    outputs = []
    for precision in (low, torch.float64):
        try:
            copied = _cast(copy.deepcopy(model), precision)
            placed = trees.place(inputs, trees.leaves(inputs)[0].device, precision)
            outputs.append(trees.flat(predict(copied, placed, 4)).double())
            # Not two copies of the model at a time.
            del copied
        except Exception:  # noqa: BLE001
            # Sessions of other frameworks raise what they like at a precision that they lack.
            return epsilon
    gaps, sizes = (outputs[0] - outputs[1]).norm(dim=1), outputs[1].norm(dim=1)
    together = float(gaps.norm() / sizes.norm().clamp_min(1e-300))
    measured = min(float((gaps / sizes.clamp_min(1e-300)).mean()), 10 * together)
    if not isfinite(measured):
        return epsilon
    scale = epsilon / torch.finfo(low).eps
    return max(measured * scale, epsilon)


def _cast(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Cast every parameter and buffer; ``Module.to`` alone would leave complex ones as they are."""
    paired = torch.complex128 if dtype == torch.float64 else torch.complex64
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_complex() or tensor.is_floating_point():
            tensor.data = tensor.data.to(paired if tensor.is_complex() else dtype)
    return model


def weights_sha256(model: nn.Module) -> str:
    """SHA-256 over the names and bytes of the state dict's tensors; ``none`` if there are none."""
    digest = hashlib.sha256()
    state = model.state_dict()
    for name, value in state.items():
        digest.update(name.encode())
        if isinstance(value, Tensor):
            digest.update(tensor_bytes(value))
    return digest.hexdigest() if state else "none"


def tensor_bytes(tensor: Tensor) -> bytes:
    """The tensor's numbers as bytes, whatever its dtype."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
