"""The factors of Kronecker-factored Gauss–Newton curvature, for outputs of any shape."""

from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Task
from goldstone.curvature.block_plan import BlockPlan
from goldstone.curvature.kronecker_blocks import KroneckerBlock, KroneckerFactors, WeightSharing
from goldstone.curvature.layer_uses import LayerUses
from goldstone.curvature.map_uses import LinearMap, MapUse
from goldstone.curvature.output_probes import check_probing, output_probes, real_outputs
from goldstone.curvature.parameters import trainable_parameters
from goldstone.curvature.tree_batches import TreeBatch


def kronecker_factors(
    model: nn.Module,
    inputs: Tensor | TreeBatch,
    probes: int | None = 1,
    weight_sharing: WeightSharing = "expand",
    seed: int = 0,
    task: Task | None = None,
) -> KroneckerFactors:
    """Blocks of η = JᵀJ/N_out on ``inputs``, from random directions u in the space of outputs.

    For y_t = W a_t + b at positions t (pixels, tokens, repeated uses of the layer), a_t with a
    one appended, and g_t the gradient of uᵀf in y_t:

    - ``"expand"``: mean(a_t a_tᵀ) over samples and positions, times E Σ_t g_t g_tᵀ. Exact where
      the gradients at different positions are uncorrelated, as in the last convolution.
    - ``"reduce"``: E (Σ_t g_t)(Σ_t g_t)ᵀ times mean over samples of ā āᵀ, ā the mean of a_t. For
      layers whose positions are summed.

    (Eschenhagen, Immer, Turner, Schneider & Hennig 2023, "Kronecker-Factored Approximate Curvature
    for Modern Neural Network Architectures", eqs. 12 and 15; Martens & Grosse 2015; Grosse &
    Martens 2016 for convolutions.) The likelihood is Gaussian, of any output shape. Blocks
    between layers are dropped.

    Linear layers, convolutions (transposed ones too) without groups, ``nn.MultiheadAttention`` and
    norm layers are covered; whatever else depends on a parameter leaves it with diag η, and
    ``coverage`` says so. A map used several times gathers the positions of all its uses. One
    sample is processed at a time; the model is left as found.

    Args:
        model: in the mode it is to be probed in.
        inputs: the reference samples that define η.
        probes: random directions a sample; None for every output, exact in u.
        weight_sharing: what to do with several positions.
        seed: of the directions.
        task: advanced by one a sample.

    Raises:
        InputError: there is nothing to probe, a BatchNorm is in training mode, or the model
            applies its layers otherwise to one sample than to another.
    """
    check_probing(model, inputs, probes)
    if weight_sharing not in ("expand", "reduce"):
        raise InputError(f"weight sharing: expected 'expand' or 'reduce', got {weight_sharing!r}")
    parameters = trainable_parameters(model)
    plan: BlockPlan | None = None
    for i in range(len(inputs)):
        uses = LayerUses(parameters)
        with uses, torch.enable_grad():
            value = real_outputs(model, inputs[i : i + 1])
        if plan is None:
            plan = BlockPlan(uses, parameters, value.device)
            gathered = {found: _Gathered(found, value.device) for found in plan.maps}
        plan.check(uses, i)
        kept = [use for use in uses.maps if use.map in gathered]
        for found in gathered:
            gathered[found].add_inputs([u for u in kept if u.map == found], weight_sharing)
        directions = output_probes(value.numel(), probes, seed, i) / len(inputs) ** 0.5
        for k, direction in enumerate(directions):
            wanted: list[Any] = [use.edge for use in kept]
            wanted += [parameters[name] for name in plan.direct]
            pulled = torch.autograd.grad(
                value,
                wanted,
                direction.to(value).reshape(value.shape),
                retain_graph=k + 1 < len(directions),
                allow_unused=True,
            )
            for found in gathered:
                pairs = [
                    (use, g)
                    for use, g in zip(kept, pulled, strict=False)
                    if use.map == found and g is not None
                ]
                gathered[found].add_gradients(pairs, weight_sharing)
            plan.add_direct(pulled[len(kept) :])
        if task is not None:
            task.advance()
    if plan is None:
        raise InputError("curvature: expected at least one reference sample, got none")
    return KroneckerFactors(
        tuple(gathered[found].block() for found in plan.maps),
        plan.scale_blocks(),
        plan.rest,
        plan.rest_spans,
        plan.coverage,
        plan.size,
        len(inputs),
        probes,
    )


class _Gathered:
    """The sums behind one block."""

    def __init__(self, found: LinearMap, device: torch.device) -> None:
        columns = found.columns + (found.bias is not None)
        self.map = found
        self.left = torch.zeros(found.rows, found.rows, dtype=torch.float64, device=device)
        self.right = torch.zeros(columns, columns, dtype=torch.float64, device=device)
        self.weight = 0.0
        self.input_is_left = False

    def add_inputs(self, uses: list[MapUse], sharing: WeightSharing) -> None:
        if not uses:
            return
        self.input_is_left = uses[0].input_is_left
        target = self.left if self.input_is_left else self.right
        total, count = None, 0
        for use in uses:
            for part in use.inputs() if self.map.columns else ():
                part = self._with_bias(part)
                count += len(part)
                if sharing == "expand":
                    target += (part.T @ part).double()
                else:
                    summed = part.double().sum(0)
                    total = summed if total is None else total + summed
        if not self.map.columns:
            target += 1.0
            self.weight += 1
        elif sharing == "expand":
            self.weight += count
        elif total is not None:
            mean = total / count
            target += torch.outer(mean, mean)
            self.weight += 1

    def add_gradients(self, pairs: list[tuple[MapUse, Tensor]], sharing: WeightSharing) -> None:
        target = self.right if self.input_is_left else self.left
        total = None
        for use, g in pairs:
            for part in use.gradients(g):
                if sharing == "expand":
                    target += (part.T @ part).double()
                else:
                    summed = part.double().sum(0)
                    total = summed if total is None else total + summed
        if total is not None:
            target += torch.outer(total, total)

    def block(self) -> KroneckerBlock:
        inputs = self.left if self.input_is_left else self.right
        inputs /= max(self.weight, 1.0)
        return KroneckerBlock(self.map, self.left, self.right)

    def _with_bias(self, part: Tensor) -> Tensor:
        if self.map.bias is None:
            return part
        return torch.cat([part, torch.ones_like(part[:, :1])], 1)
