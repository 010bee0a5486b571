"""Looking at a model before any work is spent on it."""

import copy
import hashlib

import torch
from torch import Tensor, nn

from goldstone.core import InputError, trees
from goldstone.core.trees import Tree

_RANDOM_IN_TRAINING = (
    nn.modules.dropout._DropoutNd,
    nn.modules.batchnorm._BatchNorm,
)


def model_place(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    """Device and real dtype of the model's first parameter or buffer; CPU float32 without any."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.dtype.is_complex:
            return tensor.device, tensor.real.dtype
        if tensor.dtype.is_floating_point:
            return tensor.device, tensor.dtype
    return torch.device("cpu"), torch.float32


def predict(model: nn.Module, inputs: Tree, batch: int = 32) -> Tree:
    """The model's outputs without gradients, ``batch`` samples at a time."""
    with torch.no_grad():
        outputs = [trees.call_model(model, chunk) for chunk in trees.chunks(inputs, batch)]
        return trees.map_leaves(Tensor.detach, trees.concatenate(outputs))


def check_model(model: nn.Module, inputs: Tree, targets: Tree) -> None:
    """Run the model on three samples and refuse what would make every number wrong.

    Raises:
        InputError: dropout or batch normalisation in training mode, an output of another shape
            than the target or not finite, outputs that differ from call to call, or that depend
            on the other samples of the batch.
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
    few, expected = trees.take(inputs, slice(3)), trees.take(targets, slice(3))
    try:
        with torch.no_grad():
            output = trees.call_model(model, few)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        shape = trees.describe(few)
        axes = " (batch, channel, X, Y)" if isinstance(few, Tensor) and few.ndim == 4 else ""
        raise InputError(
            f"the model fails on inputs of shape {shape}{axes}, as the "
            f"data have it: {error}; build it for this shape, or choose other data"
        ) from error
    _check_shape(output, expected)
    values = trees.flat(output).detach()
    if not bool(torch.isfinite(values).all()):
        raise InputError(
            "the model's output has NaN or infinite values on the first samples; check its weights "
            "and that the data are in the units it was trained in"
        )
    tolerance = 1e3 * torch.finfo(values.dtype).eps * float(values.abs().max())
    if float((trees.flat(predict(model, few)) - values).abs().max()) > tolerance:
        raise InputError(
            "two calls on the same input differ: the model is stochastic; only deterministic "
            "models can be audited (a symmetry in distribution is not supported)"
        )
    alone = trees.flat(predict(model, trees.take(few, slice(1))))
    if float((alone - values[:1]).abs().max()) > tolerance:
        raise InputError(
            "a sample's output depends on the other samples of its batch (batch statistics?); "
            "per-sample gradients have no meaning then"
        )


def _check_shape(output: Tree, expected: Tree) -> None:
    """A prediction has the target's shape, unless the target is of class labels."""
    wanted = trees.leaves(expected)
    labels = not any(leaf.is_floating_point() or leaf.is_complex() for leaf in wanted)
    if trees.same_shapes(output, expected) or (labels and isinstance(output, Tensor)):
        return
    kind = "" if isinstance(output, Tensor) else f"{type(output).__name__} "
    raise InputError(
        f"expected an output of the target's shape {trees.describe(expected)}, got "
        f"{kind}{trees.describe(output)}; wrap the model so that it returns the predicted fields"
    )


def numerical_floor(model: nn.Module, inputs: Tree) -> float:
    """Relative rounding error of the output: ‖f − f₆₄‖/‖f₆₄‖ against a float64 copy of the model.

    At least the machine epsilon; the epsilon alone if the model cannot run in float64. For a
    float64 model the same is measured from float32 and scaled by the ratio of epsilons.
    """
    dtype = model_place(model)[1]
    epsilon = torch.finfo(dtype).eps
    low = dtype if dtype != torch.float64 else torch.float32
    outputs = []
    for precision in (low, torch.float64):
        try:
            copied = _cast(copy.deepcopy(model), precision)
            placed = trees.place(inputs, trees.leaves(inputs)[0].device, precision)
            outputs.append(trees.flat(predict(copied, placed)).double())
        except (RuntimeError, TypeError, ValueError):
            return epsilon
    measured = float((outputs[0] - outputs[1]).norm() / outputs[1].norm().clamp_min(1e-300))
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
    """SHA-256 over the names and bytes of the state dict's tensors."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        if isinstance(value, Tensor):
            digest.update(tensor_bytes(value))
    return digest.hexdigest()


def tensor_bytes(tensor: Tensor) -> bytes:
    """The tensor's numbers as bytes, whatever its dtype."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
