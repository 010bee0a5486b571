"""Pooling over the components of fields on a group: from equivariant to invariant channels."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.constants import computed_on_cpu
from goldstone.nn.memory_format import in_format_of
from goldstone.nn.parts import check_components, flat_parts, part_name
from goldstone.nn.pointwise_activation import permutes_components
from goldstone.representations import DirectSum, Representation, TrivialRepresentation

Reduction = Literal["max", "mean", "attention"]


class GroupPool(nn.Module):
    """One invariant channel for each field on the group.

    - ``"max"``: y_c = max_h x[c, h];
    - ``"mean"``: y_c = mean_h x[c, h], which keeps of a field only its invariant part;
    - ``"attention"``: y_c = Σ_h softmax_h(s)[c, h] x[c, h] with scores s[c, h] = Σ_e A_ce x[e, h],
      A learned and zero at first, so that it starts as the mean. Scores turn as the fields do,
      so the sum is invariant (Romero et al. 2020, "Attentive group equivariant convolutional
      networks").

    (batch, fields·components, *grid) → (batch, fields, *grid); the channels then turn as plain
    images do.

    Args:
        source: a sum of permutation representations, such as copies of the regular one; of one
            dimension.
        reduction: see above.

    Raises:
        InputError: a part is no permutation representation, their dimensions differ, or, for
            attention, they are not all copies of one.
    """

    @computed_on_cpu
    def __init__(
        self,
        source: Representation,
        reduction: Reduction = "max",
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if reduction not in get_args(Reduction):
            raise InputError(
                f"expected a reduction of {', '.join(get_args(Reduction))}, got {reduction!r}"
            )
        parts = flat_parts(source)
        for part in dict.fromkeys(parts):
            if not permutes_components(part):
                raise InputError(
                    f"the components of {part_name(part)} are not permuted by {part.group.name}, "
                    "so their maximum or mean is not invariant; pool fields of the regular "
                    "representation, or project with SteerableConv2d or EquivariantLinear"
                )
        if len({part.dimension for part in parts}) > 1:
            raise InputError(
                "expected fields of one dimension, got "
                f"{sorted({part.dimension for part in parts})}; pool them one kind at a time"
            )
        if reduction == "attention" and len(set(parts)) > 1:
            raise InputError(
                "attention compares the components of fields one by one, so all must be copies of "
                f"one representation, got {len(set(parts))} different ones; pool them one kind at "
                "a time, or by maximum or mean"
            )
        self.source, self.reduction = source, reduction
        self.fields, self.components = len(parts), parts[0].dimension
        trivial = TrivialRepresentation(source.group)
        self.target: Representation = DirectSum(source.group, (trivial,) * self.fields)
        self.scores: nn.Parameter | None = None
        if reduction == "attention":
            empty = torch.empty(self.fields, self.fields, device=device, dtype=dtype)
            self.scores = nn.Parameter(empty)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Zero the scores."""
        if self.scores is not None:
            nn.init.zeros_(self.scores)

    def forward(self, x: Tensor) -> Tensor:
        """Pool (batch, channels, *grid)."""
        check_components(x, self.source, 1, size=self.fields * self.components)
        fields = x.reshape(x.shape[0], self.fields, self.components, *x.shape[2:])
        if self.reduction == "max":
            return in_format_of(x, fields.amax(2))
        if self.scores is None:
            return in_format_of(x, fields.mean(2))
        scores = torch.einsum("ce,beh...->bch...", self.scores, fields)
        return in_format_of(x, (scores.softmax(2) * fields).sum(2))

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.source.group.name}, {self.fields} fields, {self.reduction}"
