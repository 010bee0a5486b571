"""Which block each parameter belongs to; and the curvature of those that have no factors."""

from collections import Counter
from itertools import pairwise

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.curvature.kronecker_blocks import Coverage, ScaleBlock
from goldstone.curvature.layer_uses import LayerUses
from goldstone.curvature.map_uses import LinearMap
from goldstone.curvature.parameters import flatten_into, parameter_slices, vector_size


class BlockPlan:
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
