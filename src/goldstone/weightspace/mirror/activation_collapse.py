"""Collapse of a model's layers, from what their units say on data."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.weightspace.mirror.collapse import (
    CollapseReport,
    Modulo,
    check_collapse_settings,
    layer_collapse,
)

_CONVOLUTIONAL = 4


def activation_collapse(
    model: nn.Module,
    batches: Iterable[Any],
    layers: Sequence[str] | None = None,
    tolerance: float = 1e-3,
    modulo: Modulo = "nothing",
) -> CollapseReport:
    """Units that are constant on the data, units that agree on it, and the rank of the features.

    A unit's vector is its output over all samples (and pixels, or tokens), less the mean, so that a
    ReLU that never opens is dead here and not by its weights. Ranks are those of the covariance,
    with standard deviations as singular values. Units lie along the second axis of outputs of three
    axes under a convolution and of four or more, else along the last.

    Args:
        model: called with each batch in evaluation mode without gradients; left as found.
        batches: inputs. Only sums are kept, so there may be many.
        layers: names of modules whose outputs are looked at; by default all without children that
            give a floating-point tensor and have weights or are activations.
        tolerance: relative.
        modulo: up to what units count as equal; see :data:`Modulo`.

    Raises:
        InputError: a name is no module's, nothing was seen of a layer, the settings are wrong, or
            outputs are not finite.
    """
    check_collapse_settings(tolerance, modulo)
    modules = dict(model.named_modules())
    unknown = [name for name in layers or () if name not in modules]
    if unknown:
        raise InputError(f"no module {unknown[0]!r}; there are {list(modules)}")
    chosen = [n for n, m in modules.items() if _watched(m)] if layers is None else list(layers)
    moments = {name: _Moments() for name in chosen}
    modes = {module: module.training for module in model.modules()}
    handles = [
        modules[name].register_forward_hook(_watch(moments[name], modules[name])) for name in chosen
    ]
    try:
        model.eval()
        with torch.no_grad():
            for batch in batches:
                model(batch)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    found = {}
    for name, moment in moments.items():
        if moment.count == 0 and layers is None:
            continue  # gave no tensor
        gram = moment.covariance(name)
        spectrum = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
        found[name] = layer_collapse(gram, spectrum, tolerance, modulo)
    if not found:
        raise InputError("no layer gave a floating-point tensor; name modules in layers=")
    return CollapseReport("activations", tolerance, modulo, found)


class _Moments:
    """Running mean and centred second moments of rows of units, by the formula of Chan et al."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros(0, dtype=torch.float64)
        self.moment = torch.zeros(0, 0, dtype=torch.float64)

    def add(self, rows: Tensor) -> None:
        rows = rows.double().cpu()
        mean = rows.mean(0)
        centred = rows - mean
        moment = centred.mT @ centred
        if self.count:
            shift, total = mean - self.mean, self.count + len(rows)
            moment += self.moment + torch.outer(shift, shift) * (self.count * len(rows) / total)
            mean = self.mean + shift * (len(rows) / total)
        self.count, self.mean, self.moment = self.count + len(rows), mean, moment

    def covariance(self, name: str) -> Tensor:
        if self.count < 2:
            raise InputError(
                f"expected two or more samples of floating-point outputs of {name!r}, got "
                f"{self.count}; was it called?"
            )
        if not bool(torch.isfinite(self.moment).all()):
            raise InputError(f"the outputs of {name!r} are not finite")
        return self.moment / self.count


def _watched(module: nn.Module) -> bool:
    if next(module.children(), None) is not None:
        # Parametrised modules have their parametrisations as children.
        return hasattr(module, "parametrizations")
    activation = type(module).__module__ == "torch.nn.modules.activation"
    weighted = next(module.parameters(recurse=False), None) is not None
    return activation or weighted


def _watch(moments: _Moments, module: nn.Module) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_: nn.Module, __: Any, output: Any) -> None:
        if not isinstance(output, Tensor) or not output.is_floating_point() or output.ndim < 2:
            return
        by_channel = output.ndim >= _CONVOLUTIONAL or isinstance(
            module, nn.Conv1d | nn.ConvTranspose1d | nn.BatchNorm1d
        )
        units_last = output.movedim(1, -1) if by_channel and output.ndim > 2 else output
        moments.add(units_last.flatten(0, -2))

    return hook
