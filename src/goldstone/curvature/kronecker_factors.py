"""The factors of Kronecker-factored Gauss–Newton curvature, for outputs of any shape."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Task
from goldstone.curvature.layer_uses import LayerUses
from goldstone.curvature.map_uses import LinearMap, MapUse
from goldstone.curvature.output_probes import check_probing, output_probes, real_outputs
from goldstone.curvature.parameters import (
    flatten_into,
    parameter_slices,
    trainable_parameters,
    vector_size,
)
from goldstone.curvature.tree_batches import TreeBatch

WeightSharing = Literal["expand", "reduce"]
Treatment = Literal["kronecker", "scale and shift", "diagonal"]


@dataclass(frozen=True)
class Coverage:
    """How some parameters are treated, and why if not by Kronecker factors."""

    parameters: str
    treatment: Treatment
    reason: str = ""


@dataclass(frozen=True, eq=False)
class KroneckerBlock:
    """η restricted to one linear map ≈ left ⊗ right.

    Attributes:
        map: where it lies; a bias is the last column.
        left: (rows, rows) float64.
        right: (columns, columns) float64.
    """

    map: LinearMap
    left: Tensor
    right: Tensor


@dataclass(frozen=True, eq=False)
class ScaleBlock:
    """η restricted to a norm layer's scales and shifts: a 2 × 2 block a channel, no approximation.

    Attributes:
        name: of the parameters.
        weight, bias: where they lie in the parameter vector.
        blocks: (channels, 2, 2) float64.
    """

    name: str
    weight: tuple[int, int]
    bias: tuple[int, int]
    blocks: Tensor


@dataclass(frozen=True, eq=False)
class KroneckerFactors:
    """Gauss–Newton curvature η = JᵀJ/N_out as blocks.

    Attributes:
        blocks: of linear maps and convolutions.
        scales: of norm layers.
        rest: diag η where neither holds; zero elsewhere, (p,) float64.
        rest_spans: where that is.
        coverage: how every parameter is treated.
        size: p.
        samples, probes: what they were estimated from; ``probes`` None for all outputs.
    """

    blocks: tuple[KroneckerBlock, ...]
    scales: tuple[ScaleBlock, ...]
    rest: Tensor
    rest_spans: tuple[tuple[int, int], ...]
    coverage: tuple[Coverage, ...]
    size: int
    samples: int
    probes: int | None

    @property
    def mean_curvature(self) -> float:
        """Trace over p."""
        total = float(self.rest.sum())
        total += sum(float(b.left.trace() * b.right.trace()) for b in self.blocks)
        total += sum(float(s.blocks.diagonal(dim1=1, dim2=2).sum()) for s in self.scales)
        return total / self.size


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
    plan: _Plan | None = None
    for i in range(len(inputs)):
        uses = LayerUses(parameters)
        with uses, torch.enable_grad():
            value = real_outputs(model, inputs[i : i + 1])
        if plan is None:
            plan = _Plan(uses, parameters, value.device)
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


class _Plan:
    """Who is treated how, from the first sample; and the sums that need no factors."""

    def __init__(
        self, uses: LayerUses, parameters: dict[str, Tensor], device: torch.device
    ) -> None:
        self.slices = parameter_slices(parameters)
        self.size = vector_size(parameters)
        self.parameters = parameters
        self.refused = dict(uses.others)
        distinct = list(dict.fromkeys(use.map for use in uses.maps))
        scales = sorted(uses.scales)
        # A parameter that several maps or norms share belongs to no one block.
        counts = Counter(name for pair in scales for name in pair)
        for name in self._shared(distinct):
            self.refused[name] = "several layers"
        for name in counts:
            if counts[name] > 1 or self._touched(name, distinct):
                self.refused[name] = "several layers"
        self.maps = [m for m in distinct if not any(self._touched(n, [m]) for n in self.refused)]
        self.scales = [pair for pair in scales if not set(pair) & set(self.refused)]
        scaled = {name for pair in self.scales for name in pair}
        covered = [name for name in parameters if self._touched(name, self.maps)]
        self.rest_names = [n for n in parameters if n not in scaled and n not in covered]
        self.direct = [n for n in parameters if n in scaled or n in self.rest_names]
        self.rest_spans = tuple(
            (self.slices[n].start, self.slices[n].stop) for n in self.rest_names
        )
        self.rest = torch.zeros(self.size, dtype=torch.float64, device=device)
        self._blocks = {
            pair: torch.zeros(parameters[pair[0]].numel(), 2, 2, dtype=torch.float64, device=device)
            for pair in self.scales
        }
        self._seen = {use.map for use in uses.maps}, set(scales), set(uses.others)
        self.coverage = (
            *(Coverage(m.name, "kronecker") for m in self.maps),
            *(Coverage(f"{w} + {b}", "scale and shift") for w, b in self.scales),
            *(Coverage(n, "diagonal", self._reason(n)) for n in self.rest_names),
        )

    def check(self, uses: LayerUses, sample: int) -> None:
        """Raise if a sample uses parameters in a way that the first did not."""
        maps, scales, others = self._seen
        if not (
            {use.map for use in uses.maps} <= maps
            and uses.scales <= scales
            and set(uses.others) <= others
        ):
            raise InputError(
                f"K-FAC: the model applies other layers to sample {sample} than to sample 0; "
                "choose a metric that needs no layers, such as the diagonal one"
            )

    def add_direct(self, pulled: tuple[Tensor | None, ...]) -> None:
        """Gradients of one probe in the parameters ``direct``."""
        found = dict(zip(self.direct, pulled, strict=True))
        for name in self.rest_names:
            g = found[name]
            if g is not None:
                flat = torch.empty(vector_size({name: g}), dtype=torch.float64, device=g.device)
                flatten_into([g.detach()], flat)
                self.rest[self.slices[name]] += flat.square()
        for pair, blocks in self._blocks.items():
            both = [
                torch.zeros_like(self.parameters[n]) if found[n] is None else found[n] for n in pair
            ]
            v = torch.stack([g.detach().reshape(-1).double() for g in both if g is not None], 1)
            blocks += v[:, :, None] * v[:, None, :]

    def scale_blocks(self) -> tuple[ScaleBlock, ...]:
        result = []
        for (weight, bias), blocks in self._blocks.items():
            w, b = self.slices[weight], self.slices[bias]
            spans = (w.start, w.stop), (b.start, b.stop)
            result.append(ScaleBlock(f"{weight} + {bias}", *spans, blocks))
        return tuple(result)

    def _touched(self, name: str, maps: list[LinearMap]) -> bool:
        where = self.slices[name]
        return any(a < where.stop and b > where.start for m in maps for a, b in m.spans)

    def _shared(self, maps: list[LinearMap]) -> list[str]:
        """Parameters of which some part belongs to two maps."""
        spans = sorted(span for m in maps for span in m.spans)
        overlaps = [b for a, b in pairwise(spans) if b[0] < a[1]]
        return [
            name
            for name, where in self.slices.items()
            if any(a < where.stop and b > where.start for a, b in overlaps)
        ]

    def _reason(self, name: str) -> str:
        if name in self.refused:
            return f"used by {self.refused[name]}"
        partners = any(name in pair for pair in self._seen[1])
        if partners or self._touched(name, list(self._seen[0])):
            return "its weight or bias is used elsewhere too"
        return "in no linear, convolution or norm layer"
