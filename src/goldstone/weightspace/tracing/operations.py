"""ATen operations that compute."""

import string
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from goldstone.weightspace.tracing import labels
from goldstone.weightspace.tracing.handlers import Handlers, Shape, biased, column
from goldstone.weightspace.tracing.labels import Labelled


class Operations(Handlers):
    """Functions of single entries, sums, products, contractions, attention, reductions."""

    renamed: ClassVar = {
        "sub": "add",
        "mm": "matmul",
        "bmm": "matmul",
        "mv": "matmul",
        "dot": "matmul",
        "log_softmax": "softmax",
        "_softmax": "softmax",
        "_log_softmax": "softmax",
        "sum": "mean",
        "amin": "amax",
        "max": "extremum",
        "min": "extremum",
    }

    def find(self, name: str) -> Callable[..., Any] | None:
        """The handler of an operation, or None."""
        for kind, names in POINTWISE.items():
            if name in names:
                return lambda _shape, x, *rest, **more: self._pointwise(kind, x, rest, more)
        return super().find(name)

    def _pointwise(self, kind: Any, x: Labelled, rest: Any, more: Any) -> Labelled | None:
        if any(isinstance(item, Labelled) for item in (*rest, *more.values())):
            return None
        return self.domain.pointwise(x, kind)

    # Sums and products

    def _add(self, shape: Shape, x: Any, y: Any, **_: Any) -> Labelled:
        return self.domain.add([_tensor(x), _tensor(y)], shape)

    def _where(self, shape: Shape, condition: Labelled, x: Any, y: Any) -> Labelled | None:
        if condition.fields:
            return None
        if _is_constant(x) or _is_constant(y):
            # Masking: a linear map of the other part, or (−∞) what only a softmax will see.
            part, fill = (y, x) if _is_constant(x) else (x, y)
            if _is_constant(part):
                return Labelled(shape)
            kept = self.domain.multiply(part, replace(condition, degree={}), shape)
            return kept if fill == 0 else self.domain.add([kept, Labelled(())], shape)
        total = self.domain.add([_tensor(x), _tensor(y)], shape)
        return self.domain.multiply(total, condition, shape)

    def _masked_fill(
        self, shape: Shape, x: Labelled, mask: Labelled, value: Any
    ) -> Labelled | None:
        return self._where(shape, mask, value, x)

    def _mul(self, shape: Shape, x: Any, y: Any) -> Labelled:
        if _is_constant(x) or _is_constant(y):
            return self.domain.pointwise(y if _is_constant(x) else x, "linear")
        return self.domain.multiply(x, y, shape)

    def _div(self, shape: Shape, x: Any, y: Any, **more: Any) -> Labelled | None:
        if more:
            return None
        if _is_constant(y):
            return self.domain.pointwise(x, "linear")
        if _is_constant(x):
            return self.domain.pointwise(y, "generic")
        return self.domain.multiply(x, self.domain.pointwise(y, "generic"), shape)

    def _glu(self, shape: Shape, x: Labelled, axis: int = -1) -> Labelled:
        axis %= len(x.shape)
        half = x.shape[axis] // 2
        value = labels.take(x, axis, np.arange(half))
        gate = labels.take(x, axis, np.arange(half, 2 * half))
        return self.domain.multiply(value, self.domain.pointwise(gate, "generic"), shape)

    def _addcmul(self, shape: Shape, x: Labelled, a: Labelled, b: Labelled, **_: Any) -> Labelled:
        return self.domain.add([x, self.domain.multiply(a, b, shape)], shape)

    def _prelu(self, shape: Shape, x: Labelled, slope: Labelled) -> Labelled:
        bent = self.domain.pointwise(slope, "generic")
        if slope.shape != (1,):
            bent = column(bent, len(shape) - 2)
        return self.domain.multiply(self.domain.pointwise(x, "homogeneous"), bent, shape)

    # Contractions

    def _linear(self, shape: Shape, x: Labelled, w: Labelled, b: Any = None) -> Labelled:
        n = len(x.shape)
        out = self.domain.contract(x, range(n), w, [n, n - 1], [*range(n - 1), n])
        return biased(self.domain, out, b)

    def _matmul(self, shape: Shape, x: Labelled, y: Labelled) -> Labelled:
        if len(x.shape) == 1 or len(y.shape) == 1:
            a = [0] if len(x.shape) == 1 else [*range(2, len(x.shape) + 1), 0]
            b = [0] if len(y.shape) == 1 else [*range(102, 100 + len(y.shape)), 0, 101]
            out = [letter for letter in (*a, *b) if letter]
            return self.domain.contract(x, a, y, b, out)
        lead = len(shape) - 2
        x = _batched(x, shape[:-2])
        y = _batched(y, shape[:-2])
        batch = list(range(lead))
        return self.domain.contract(
            x, [*batch, lead, lead + 1], y, [*batch, lead + 1, lead + 2], [*batch, lead, lead + 2]
        )

    def _addmm(self, shape: Shape, b: Labelled, x: Labelled, y: Labelled, **_: Any) -> Labelled:
        return self.domain.add([self._matmul(shape, x, y), b], shape)

    def _einsum(self, shape: Shape, equation: str, parts: Sequence[Labelled], **_: Any) -> Any:
        inputs, _arrow, out = equation.replace(" ", "").partition("->")
        words = inputs.split(",")
        if "." in equation or not out or any(len(set(word)) < len(word) for word in words):
            return None
        letters = [[string.ascii_letters.index(c) for c in word] for word in words]
        goal = [string.ascii_letters.index(c) for c in out]
        total, own = parts[0], letters[0]
        for i, (part, other) in enumerate(zip(parts[1:], letters[1:], strict=True), start=1):
            later = {c for word in letters[i + 1 :] for c in word} | set(goal)
            kept = [c for c in dict.fromkeys([*own, *other]) if c in later]
            kept = goal if i == len(parts) - 1 else kept
            total, own = self.domain.contract(total, own, part, other, kept), kept
        if len(parts) == 1:
            axes = [k for k, c in enumerate(own) if c not in goal]
            total = self.domain.reduce(total, axes, keep=False, linear=True)
            own = [c for c in own if c in goal]
            total = labels.permute(total, [own.index(c) for c in goal])
        return total

    def _scaled_dot_product_attention(
        self,
        shape: Shape,
        q: Labelled,
        k: Labelled,
        v: Labelled,
        attn_mask: Labelled | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        *,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Labelled:
        n = len(q.shape)
        if enable_gqa:
            k, v = (
                labels.take(x, n - 3, np.repeat(np.arange(x.shape[-3]), shape[-3] // x.shape[-3]))
                for x in (k, v)
            )
        swapped = labels.permute(k, [*range(n - 2), n - 1, n - 2])
        scores = self._matmul((*shape[:-1], k.shape[-2]), q, swapped)
        if is_causal:
            attn_mask = Labelled(scores.shape[-2:])
        if attn_mask is not None:
            scores = self.domain.add([scores, attn_mask], scores.shape)
        return self._matmul(shape, self.domain.softmax(scores, [n - 1]), v)

    def _embedding(self, shape: Shape, w: Labelled, index: Labelled, *_: Any) -> Labelled:
        chosen = self.domain.rigid(w, [0])
        lead = len(shape) - 1
        fields = tuple(replace(one, axes=(lead,)) for one in chosen.fields)
        return replace(chosen, shape=shape, fields=fields, uniform=frozenset(), parameter=None)

    # Along axes

    def _softmax(self, shape: Shape, x: Labelled, axis: int, *_: Any) -> Labelled:
        return self.domain.softmax(x, [axis % len(shape)])

    def _reduced(self, x: Labelled, axes: Any, keep: bool, linear: bool) -> Labelled:
        rank = len(x.shape)
        chosen = range(rank) if axes is None or axes == [] else np.atleast_1d(axes).tolist()
        return self.domain.reduce(x, [axis % rank for axis in chosen], keep, linear)

    def _mean(
        self, shape: Shape, x: Labelled, axes: Any = None, keep: bool = False, **_: Any
    ) -> Labelled:
        return self._reduced(x, axes, keep, linear=True)

    def _cumsum(self, shape: Shape, x: Labelled, axis: int, **_: Any) -> Labelled:
        rigid = self.domain.rigid(x, [axis % len(shape)])
        return labels.map_axes(rigid, shape, lambda a: a == axis % len(shape))

    def _logsumexp(self, shape: Shape, x: Labelled, axes: Any, keep: bool = False) -> Labelled:
        return self._reduced(self.domain.pointwise(x, "generic"), axes, keep, linear=True)

    def _extremum(
        self, shape: Any, x: Labelled, axis: Any = None, keep: bool = False
    ) -> Labelled | list[Labelled] | None:
        if axis is not None and not isinstance(axis, int):
            return None
        out = self._reduced(x, axis, keep, linear=False)
        return [out, Labelled(shape[1])] if isinstance(shape, list) else out

    def _amax(self, shape: Shape, x: Labelled, axes: Any = None, keep: bool = False) -> Labelled:
        return self._reduced(x, axes, keep, linear=False)


def _is_constant(x: Any) -> bool:
    return isinstance(x, int | float | bool)


def _tensor(x: Any) -> Labelled:
    return x if isinstance(x, Labelled) else Labelled(())


def _batched(x: Labelled, lead: Sequence[int]) -> Labelled:
    return labels.expand(x, (*lead, *x.shape[-2:]))


POINTWISE = {
    "linear": frozenset({"neg"}),
    "homogeneous": frozenset({"relu", "leaky_relu", "abs"}),
    "odd": frozenset(
        {
            "tanh", "sin", "tan", "asin", "atan", "sinh", "asinh", "atanh", "erf", "erfinv",
            "round", "trunc",
        }
    ),
    "generic": frozenset(
        {
            "gelu", "silu", "sigmoid", "elu", "selu", "celu", "softplus", "mish", "exp", "log",
            "sqrt", "rsqrt", "square", "pow", "reciprocal", "cos", "cosh", "relu6",
            "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "log_sigmoid",
            "logsigmoid", "log1p", "expm1", "sign", "clamp", "clamp_min", "clamp_max", "rsub",
            "threshold", "tanhshrink", "softsign", "floor", "ceil", "erfc", "exp2", "log2", "log10",
        }
    ),
}  # fmt: skip
"""Functions of one entry, by what they commute with."""
