"""Which linear maps and scales a forward pass applies, and to what: seen as they are called.

A ``TorchFunctionMode`` sees the functions that layers call, with the parameters they are given: so
a layer used twice, a functional call, a wrapper that pads by hand and the projections inside
``nn.MultiheadAttention`` need no case of their own, and nothing is attached to the model.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from goldstone.core import InputError
from goldstone.curvature.call_signatures import (
    ATTENTION,
    CONVOLUTION,
    CONVOLUTIONS,
    LINEAR,
    NORMS,
    TRANSPOSED,
    TRANSPOSED_CONVOLUTION,
    bound,
)
from goldstone.curvature.map_uses import LinearMap, MapUse, Positions
from goldstone.curvature.parameters import parameter_slices
from goldstone.curvature.patches import Geometry, patches, transposed_patches


@dataclass(eq=False)
class LayerUses(TorchFunctionMode):
    """Records, while it is entered, the uses of ``parameters`` in a forward pass.

    Attributes:
        maps: linear maps and convolutions, in order.
        scales: (weight, bias) of each norm layer with both.
        others: parameters that were used in some other way, with the function's name.
    """

    parameters: Mapping[str, Tensor]
    maps: list[MapUse] = field(default_factory=list)
    scales: set[tuple[str, str]] = field(default_factory=set)
    others: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._names = {id(p): name for name, p in self.parameters.items()}
        self._slices = parameter_slices(self.parameters)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call ``func`` and record what it does with parameters."""
        named = dict(kwargs or {})
        if func is functional.linear:
            linear = bound(LINEAR, args, named)
            return self._linear(linear["input"], linear["weight"], linear.get("bias"))
        if func is torch.addmm and not set(named) & {"alpha", "beta"}:
            return self._addmm(*args, **named)
        if func in CONVOLUTIONS:
            return self._convolution(func, bound(CONVOLUTION, args, named))
        if func in TRANSPOSED:
            return self._transposed(func, bound(TRANSPOSED_CONVOLUTION, args, named))
        if func is functional.multi_head_attention_forward:
            return self._attention(bound(ATTENTION, args, named))
        out = func(*args, **named)
        if func in NORMS:
            values = bound(NORMS[func], args, named)
            pair = (self._name(values.get("weight")), self._name(values.get("bias")))
            if pair[0] is not None and pair[1] is not None:
                self.scales.add((pair[0], pair[1]))
                self._other(func, out, (values["input"],))
                return out
        self._other(func, out, chain(args, named.values()))
        return out

    def _name(self, value: Any) -> str | None:
        return self._names.get(id(value)) if isinstance(value, Tensor) else None

    def _part(self, value: Any, rows: slice | None = None) -> "_Part | None":
        """A real parameter of ours, or some rows of it, with its place in the vector."""
        name = self._name(value)
        if name is None or value.is_complex():
            return None
        start, per_row = self._slices[name].start, value[0].numel()
        first, last = (0, len(value)) if rows is None else (rows.start, rows.stop)
        return name, (start + first * per_row, start + last * per_row)

    def _other(self, func: Callable[..., Any], out: Any, values: Iterable[Any]) -> None:
        """Parameters among ``values`` are used by ``func`` in a way that has no block."""
        results = out if isinstance(out, (tuple, list)) else (out,)
        if not any(isinstance(r, Tensor) and r.requires_grad for r in results):
            return
        for value in values:
            for entry in value if isinstance(value, (tuple, list)) else (value,):
                name = self._name(entry)
                if name is not None:
                    self.others[name] = getattr(func, "__name__", str(func))

    def _record(
        self,
        out: Tensor,
        shape: tuple[int, int],
        weight: "_Part | None",
        bias: "_Part | None",
        inputs: Callable[[], Positions],
        gradients: Callable[[Tensor], Positions],
        side: Literal["left", "right"] = "right",
    ) -> None:
        """A map with a weight of ``shape``, unless neither it nor its bias is ours."""
        if not out.requires_grad or weight is bias is None:
            return
        parts = [part for part in (weight, bias) if part is not None]
        found = LinearMap(
            " + ".join(name for name, _ in parts),
            shape[0],
            0 if weight is None else shape[1],
            None if weight is None else weight[1],
            None if bias is None else bias[1],
        )
        edge = get_gradient_edge(out)
        self.maps.append(MapUse(found, edge, inputs, gradients, side == "left"))

    def _linear(
        self, x: Tensor, weight: Tensor, bias: Tensor | None, rows: slice | None = None
    ) -> Tensor:
        """``x Wᵀ + b``; with ``rows`` the outputs that these rows of W and b give.

        A W of just that many rows is whole: only b is packed then.
        """
        packed = rows is not None and len(weight) != rows.stop - rows.start
        own = weight[rows] if packed else weight
        out: Tensor = functional.linear(
            x, own, bias if rows is None or bias is None else bias[rows]
        )
        self._other(functional.linear, out, (x,))
        if own.is_complex() or own.ndim != 2:
            self._other(functional.linear, out, (weight, bias))
            return out
        width, depth = own.shape
        features = _kept(x)
        self._record(
            out,
            (width, depth),
            self._part(weight, rows if packed else None),
            self._part(bias, rows),
            lambda: iter((features().reshape(-1, depth),)),
            lambda g: iter((g.reshape(-1, width),)),
        )
        return out

    def _addmm(self, bias: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        """``x W + b``, the weight stored as (in, out): its bias is a map of its own."""
        out = torch.addmm(bias, x, weight)
        self._other(torch.addmm, out, (x,))
        if weight.is_complex() or bias.ndim != 1:
            self._other(torch.addmm, out, (bias, weight))
            return out
        depth, width = weight.shape
        features, part = _kept(x), self._part(weight)

        def columns(g: Tensor) -> Positions:
            return iter((g,))

        if part is not None:
            self._record(
                out, (depth, width), part, None, lambda: iter((features(),)), columns, "left"
            )
        self._record(out, (width, 0), None, self._part(bias), lambda: iter(()), columns)
        return out

    def _convolution(self, func: Callable[..., Tensor], call: dict[str, Any]) -> Tensor:
        out = func(**call)
        weight, bias = call["weight"], call.get("bias")
        self._other(func, out, (call["input"],))
        if call.get("groups", 1) != 1 or weight.is_complex():
            self._other(func, out, (weight, bias))
            return out
        geometry = _geometry(call)
        features = _kept(call["input"])
        self._record(
            out,
            (weight.shape[0], weight[0].numel()),
            self._part(weight),
            self._part(bias),
            lambda: patches(features(), geometry),
            lambda g: iter((_channels_last(g, geometry.dimensions),)),
        )
        return out

    def _transposed(self, func: Callable[..., Tensor], call: dict[str, Any]) -> Tensor:
        """Each input site adds its channels times W to a patch of outputs: the sides change."""
        out = func(**call)
        x, weight, bias = call["input"], call["weight"], call.get("bias")
        self._other(func, out, (x,))
        if call.get("groups", 1) != 1 or weight.is_complex():
            self._other(func, out, (weight, bias))
            return out
        geometry = _geometry(call)
        dimensions = geometry.dimensions
        sites = x.shape[x.ndim - dimensions :]
        features, part = _kept(x), self._part(weight)
        if part is not None:
            self._record(
                out,
                (weight.shape[0], weight[0].numel()),
                part,
                None,
                lambda: iter((_channels_last(features(), dimensions),)),
                lambda g: transposed_patches(g, geometry, sites),
                "left",
            )
        self._record(
            out,
            (weight.shape[1], 0),
            None,
            self._part(bias),
            lambda: iter(()),
            lambda g: iter((_channels_last(g, dimensions),)),
        )
        return out

    def _attention(self, call: dict[str, Any]) -> Any:
        """Attention with its projections taken out as linear maps, identities in their places."""
        query, key, value = (call[name] for name in ("query", "key", "value"))
        width = call["embed_dim_to_check"]
        packed, bias = call["in_proj_weight"], call["in_proj_bias"]
        if packed is not None and query is key is value:
            projected = self._linear(query, packed, bias).chunk(3, -1)
        else:
            weights = [packed if packed is not None else call[f"{k}_proj_weight"] for k in "qkv"]
            projected = tuple(
                self._linear(x, weight, bias, slice(k * width, (k + 1) * width))
                for k, (x, weight) in enumerate(zip((query, key, value), weights, strict=True))
            )
        identity = torch.eye(width, dtype=query.dtype, device=query.device)
        inner = call | dict(zip(("query", "key", "value"), projected, strict=True))
        inner |= {f"{k}_proj_weight": identity for k in "qkv"}
        inner |= {"use_separate_proj_weight": True, "in_proj_weight": None, "in_proj_bias": None}
        inner |= {"out_proj_weight": identity, "out_proj_bias": None}
        mixed, attended = functional.multi_head_attention_forward(**inner)
        extra = (call.get("bias_k"), call.get("bias_v"))
        self._other(functional.multi_head_attention_forward, mixed, extra)
        return self._linear(mixed, call["out_proj_weight"], call["out_proj_bias"]), attended


_Part = tuple[str, tuple[int, int]]


def _geometry(call: dict[str, Any]) -> Geometry:
    return Geometry.of(
        call["weight"], call.get("stride", 1), call.get("padding", 0), call.get("dilation", 1)
    )


def _kept(x: Tensor) -> Callable[[], Tensor]:
    """The input of a layer, to be read after the forward pass."""
    detached, version = x.detach(), x._version

    def read() -> Tensor:
        if detached._version != version:
            raise InputError(
                "K-FAC: the input of a layer is changed in place after the layer has used it; "
                "give the layer a copy"
            )
        return detached

    return read


def _channels_last(g: Tensor, dimensions: int) -> Tensor:
    """(…, channel, sites…) → (positions, channel)."""
    axis = g.ndim - dimensions - 1
    return g.movedim(axis, -1).reshape(-1, g.shape[axis])
