"""Looking at a model before any work is spent on it."""

import copy
import hashlib

import torch
from torch import Tensor, nn

from goldstone.core import InputError

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


def predict(model: nn.Module, inputs: Tensor, batch: int = 32) -> Tensor:
    """The model's outputs without gradients, ``batch`` samples at a time."""
    with torch.no_grad():
        return torch.cat([model(chunk) for chunk in torch.split(inputs, batch)]).detach()


def check_model(model: nn.Module, inputs: Tensor, targets: Tensor) -> None:
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
    few, expected = inputs[:3], targets[:3]
    try:
        with torch.no_grad():
            output = model(few)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InputError(
            f"the model fails on inputs of shape {tuple(few.shape)} (batch, channel, X, Y), as the "
            f"data have it: {error}; build it for this shape, or choose other data"
        ) from error
    if not isinstance(output, Tensor) or output.shape != expected.shape:
        came = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise InputError(
            f"expected an output of the target's shape {tuple(expected.shape)}, got {came}; "
            "wrap the model so that it returns the predicted fields"
        )
    output = output.detach()
    if not bool(torch.isfinite(output).all()):
        raise InputError(
            "the model's output has NaN or infinite values on the first samples; check its weights "
            "and that the data are in the units it was trained in"
        )
    tolerance = 1e3 * torch.finfo(output.dtype).eps * float(output.abs().max())
    if float((predict(model, few) - output).abs().max()) > tolerance:
        raise InputError(
            "two calls on the same input differ: the model is stochastic; only deterministic "
            "models can be audited (a symmetry in distribution is not supported)"
        )
    if float((predict(model, few[:1]) - output[:1]).abs().max()) > tolerance:
        raise InputError(
            "a sample's output depends on the other samples of its batch (batch statistics?); "
            "per-sample gradients have no meaning then"
        )


def numerical_floor(model: nn.Module, inputs: Tensor) -> float:
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
            outputs.append(predict(copied, inputs.to(precision)).double())
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
