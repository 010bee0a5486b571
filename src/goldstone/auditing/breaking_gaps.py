"""How far several models are from equivariance, each, in common and in the mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.auditing.inspection import predict
from goldstone.auditing.probed_model import Model, probed
from goldstone.core import trees
from goldstone.core.trees import Tree


@dataclass(frozen=True, eq=False)
class Gaps:
    """Of every element and sample, (elements, n) in float64.

    Attributes:
        single: mean_s ‖Δ_s‖/‖f_s‖.
        ensemble: ‖mean Δ_s‖/‖mean f_s‖.
        square: mean_s ‖Δ_s‖².
        common: mean of ⟨Δ_s, Δ_t⟩ over pairs s ≠ t.
    """

    single: Tensor
    ensemble: Tensor
    square: Tensor
    common: Tensor


def measure_gaps(
    models: Sequence[Model],
    inputs: Tree,
    symmetry: Symmetry,
    elements: Sequence[Any],
    link: Callable[[Tree], Tree],
    context: Context,
    batch: int,
) -> Gaps:
    """Of every element: Δ_s = f_s(gx) − g f_s(x) of the models, on every sample."""
    count = len(models)
    single: Any = [0.0] * len(elements)
    square: Any = [0.0] * len(elements)
    summed: Any = [0.0] * len(elements)
    mean_output: Any = 0.0
    for model in models:
        with probed(model, inputs) as module:
            plain = link(predict(module, inputs, batch))
            output = trees.flat(plain).double().cpu()
            mean_output = mean_output + output / count
            for i, g in enumerate(elements):
                moved, turned = _both_ways(module, inputs, plain, symmetry, g, link, context, batch)
                gap = moved - turned
                size = gap.square().sum(1)
                single[i] = single[i] + (size / output.square().sum(1)).sqrt() / count
                square[i] = square[i] + size / count
                summed[i] = summed[i] + gap / count
    together = torch.stack([gap.square().sum(1) for gap in summed])
    squares = torch.stack(square)
    # ‖Σ Δ_s‖² less its diagonal terms.
    common = (count * together - squares) / max(count - 1, 1)
    of_mean = mean_output.square().sum(1)
    return Gaps(torch.stack(single), (together / of_mean).sqrt(), squares, common)


def _both_ways(
    module: nn.Module,
    inputs: Tree,
    plain: Tree,
    symmetry: Symmetry,
    element: Any,
    link: Callable[[Tree], Tree],
    context: Context,
    batch: int,
) -> tuple[Tensor, Tensor]:
    """f(gx) and g f(x) of all samples as real vectors; ``batch`` of them moved at a time."""
    moved, turned = [], []
    after = context.at(context.step + 1)
    for x, y in zip(trees.chunks(inputs, batch), trees.chunks(plain, batch), strict=True):
        of_moved = link(predict(module, symmetry.on_input.act(element, x, context), batch))
        moved.append(trees.flat(of_moved).double().cpu())
        turned.append(trees.flat(symmetry.on_output.act(element, y, after)).double().cpu())
    return torch.cat(moved), torch.cat(turned)
