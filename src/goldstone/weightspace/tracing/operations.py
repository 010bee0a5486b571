"""ATen operations that compute."""

import string
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from goldstone.weightspace.tracing import labels
from goldstone.weightspace.tracing.domain import Domain
from goldstone.weightspace.tracing.labels import Labelled

Shape = tuple[int, ...]


class Operations:
    """Sums, products, contractions, norms. A handler takes the shape of the result first."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def find(self, name: str) -> Callable[..., Any] | None:
        """The handler of an operation, or None."""
        for kind, names in POINTWISE.items():
            if name in names:
                return lambda _shape, x, *rest, **more: self._pointwise(kind, x, rest, more)
        return getattr(self, f"_{RENAMED.get(name, name)}", None)

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
        if more or _is_constant(x):
            return None
        if _is_constant(y):
            return self.domain.pointwise(x, "linear")
        return self.domain.multiply(x, self.domain.pointwise(y, "generic"), shape)

    def _glu(self, shape: Shape, x: Labelled, axis: int = -1) -> Labelled:
        axis %= len(x.shape)
        half = x.shape[axis] // 2
        value = labels.take(x, axis, np.arange(half))
        gate = labels.take(x, axis, np.arange(half, 2 * half))
        return self.domain.multiply(value, self.domain.pointwise(gate, "generic"), shape)

    def _addcmul(self, shape: Shape, x: Labelled, a: Labelled, b: Labelled, **_: Any) -> Labelled:
        return self.domain.add([x, self.domain.multiply(a, b, a.shape)], shape)

    def _prelu(self, shape: Shape, x: Labelled, slope: Labelled) -> Labelled | None:
        if slope.shape != (1,):
            return None
        self.domain.fix(slope)
        return self.domain.pointwise(x, "homogeneous")

    # Contractions

    def _linear(self, shape: Shape, x: Labelled, w: Labelled, b: Any = None) -> Labelled:
        n = len(x.shape)
        out = self.domain.contract(x, range(n), w, [n, n - 1], [*range(n - 1), n])
        return self._biased(out, b)

    def _biased(self, x: Labelled, b: Labelled | None, axis: int = -1) -> Labelled:
        if b is None:
            return x
        after = len(x.shape) - 1 - axis % len(x.shape)
        return self.domain.add([x, _column(b, after)], x.shape)

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
    ) -> Labelled | None:
        if enable_gqa:
            return None
        n = len(q.shape)
        swapped = labels.permute(k, [*range(n - 2), n - 1, n - 2])
        scores = self._matmul((*shape[:-1], k.shape[-2]), q, swapped)
        if attn_mask is not None:
            scores = self.domain.add([scores, attn_mask], scores.shape)
        return self._matmul(shape, self.domain.softmax(scores, [n - 1]), v)

    def _embedding(self, shape: Shape, w: Labelled, index: Labelled, *_: Any) -> Labelled:
        chosen = self.domain.rigid(w, [0])
        lead = len(shape) - 1
        fields = tuple(replace(one, axes=(lead,)) for one in chosen.fields)
        return replace(chosen, shape=shape, fields=fields, uniform=frozenset(), parameter=None)

    def _convolve(
        self, shape: Shape, x: Labelled, w: Labelled, b: Labelled | None, groups: int, flipped: bool
    ) -> Labelled:
        spatial = len(shape) - 2
        lead = x.shape[0]
        x = self.domain.rigid(x, range(2, 2 + spatial))
        w = self.domain.rigid(w, range(2, 2 + spatial))
        x = labels.reshape(x, (lead, groups, x.shape[1] // groups, prod(x.shape[2:])))
        w = labels.reshape(w, (groups, w.shape[0] // groups, w.shape[1], prod(w.shape[2:])))
        # Positions and offsets meet in no index: each has a letter of its own, one is kept.
        out = self.domain.contract(x, [0, 1, 2, 4], w, _letters(flipped), [0, 1, 3, 4])
        out = labels.map_axes(out, (*out.shape[:3], prod(shape[2:])), lambda axis: axis == 3)
        return self._biased(labels.reshape(out, shape), b, axis=1)

    def _conv(
        self,
        shape: Shape,
        x: Labelled,
        w: Labelled,
        b: Labelled | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Labelled:
        return self._convolve(shape, x, w, b, groups, flipped=False)

    def _conv_transpose(
        self,
        shape: Shape,
        x: Labelled,
        w: Labelled,
        b: Labelled | None = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Labelled:
        return self._convolve(shape, x, w, b, groups, flipped=True)

    # Norms and reductions

    def _layer_norm(
        self, shape: Shape, x: Labelled, over: Sequence[int], w: Any = None, b: Any = None, *_: Any
    ) -> Labelled:
        axes = range(len(shape) - len(over), len(shape))
        return self._affine(self.domain.normalise(x, axes, centred=True), w, b, 0)

    def _rms_norm(
        self, shape: Shape, x: Labelled, over: Sequence[int], w: Any = None, *_: Any
    ) -> Labelled:
        axes = range(len(shape) - len(over), len(shape))
        return self._affine(self.domain.normalise(x, axes, centred=False), w, None, 0)

    def _affine(self, x: Labelled, w: Any, b: Any, after: int) -> Labelled:
        if w is not None:
            x = self.domain.multiply(x, labels.expand(_column(w, after), x.shape), x.shape)
        return x if b is None else self.domain.add([x, _column(b, after)], x.shape)

    def _group_norm(
        self, shape: Shape, x: Labelled, groups: int, w: Any = None, b: Any = None, *_: Any
    ) -> Labelled:
        split = labels.reshape(x, (shape[0], groups, shape[1] // groups, *shape[2:]))
        normal = self.domain.normalise(split, range(2, len(split.shape)), centred=True)
        return self._affine(labels.reshape(normal, shape), w, b, len(shape) - 2)

    def _batch_norm_train(
        self, shapes: Any, x: Labelled, w: Any, b: Any, mean: Labelled, variance: Labelled, *_: Any
    ) -> list[Any]:
        axes = [axis for axis in range(len(x.shape)) if axis != 1]
        after = len(x.shape) - 2
        normal = self.domain.normalise(x, axes, centred=True)
        # Running statistics follow the channels, although this mode does not read them.
        self.domain.follow(normal, mean, variance)
        out = self._affine(normal, w, b, after)
        return [out, *(Labelled(shape) for shape in shapes[1:])]

    def _batch_norm_eval(
        self, shapes: Any, x: Labelled, w: Any, b: Any, mean: Labelled, variance: Labelled, *_: Any
    ) -> list[Any]:
        normal = self.domain.running(x, mean, variance, w)
        out = self._affine(normal, w, b, len(x.shape) - 2)
        return [out, *(Labelled(shape) for shape in shapes[1:])]

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

    def _amax(self, shape: Shape, x: Labelled, axes: Any = None, keep: bool = False) -> Labelled:
        return self._reduced(x, axes, keep, linear=False)

    def _pool(self, shape: Shape, x: Labelled, *_: Any, linear: bool = True, **__: Any) -> Labelled:
        lead = 2 if len(shape) > 2 else 1
        x = self.domain.rigid(x, range(lead, len(shape)))
        out = x if linear else self.domain.pointwise(x, "homogeneous")
        return labels.map_axes(out, shape, lambda axis: axis >= lead)

    def _max_pool(self, shape: Any, x: Labelled, *_: Any, **__: Any) -> Any:
        if isinstance(shape, list):
            return [self._pool(shape[0], x, linear=False), Labelled(shape[1])]
        return self._pool(shape, x, linear=False)

    def _pad(self, shape: Shape, x: Labelled, pad: Sequence[int], *rest: Any, **_: Any) -> Any:
        touched = {len(shape) - 1 - i // 2 for i, size in enumerate(pad) if size}
        if any(x.covered(axis) or axis in x.uniform for axis in touched):
            return None
        if any(
            item not in (0, 0.0, None, "constant", "reflect", "replicate", "circular")
            for item in rest
        ):
            return None
        return labels.map_axes(x, shape, lambda axis: axis in touched)


def _letters(flipped: bool) -> list[int]:
    """Letters of (group, out, in, offset): a transposed convolution has in before out."""
    return [1, 2, 3, 5] if flipped else [1, 3, 2, 5]


def _is_constant(x: Any) -> bool:
    return isinstance(x, int | float | bool)


def _tensor(x: Any) -> Labelled:
    return x if isinstance(x, Labelled) else Labelled(())


def _column(x: Labelled, after: int) -> Labelled:
    """A parameter with ``after`` more axes of size one behind its own."""
    return replace(x, shape=(*x.shape, *([1] * after)))


def _batched(x: Labelled, lead: Sequence[int]) -> Labelled:
    return labels.expand(x, (*lead, *x.shape[-2:]))


POINTWISE = {
    "linear": frozenset({"neg", "real"}),
    "homogeneous": frozenset({"relu", "leaky_relu"}),
    "odd": frozenset({"tanh", "sin", "tan", "asin", "atan", "sinh", "asinh", "atanh", "erf"}),
    "generic": frozenset(
        {
            "gelu", "silu", "sigmoid", "elu", "selu", "celu", "softplus", "mish", "exp", "log",
            "sqrt", "rsqrt", "square", "pow", "reciprocal", "abs", "cos", "cosh", "relu6",
            "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "log_sigmoid",
            "logsigmoid", "log1p", "expm1", "sign", "clamp", "clamp_min", "clamp_max", "rsub",
            "threshold", "tanhshrink", "softsign",
        }
    ),
}  # fmt: skip
"""Functions of one entry, by what they commute with."""

RENAMED = {
    "sub": "add",
    "lerp": "none",
    "mm": "matmul",
    "bmm": "matmul",
    "mv": "matmul",
    "dot": "matmul",
    "conv1d": "conv",
    "conv2d": "conv",
    "conv3d": "conv",
    "conv_transpose1d": "conv_transpose",
    "conv_transpose2d": "conv_transpose",
    "conv_transpose3d": "conv_transpose",
    "_native_batch_norm_legit_functional": "batch_norm_train",
    "_native_batch_norm_legit_no_training": "batch_norm_eval",
    "log_softmax": "softmax",
    "_softmax": "softmax",
    "_log_softmax": "softmax",
    "cumsum": "softmax",
    "sum": "mean",
    "amin": "amax",
    "logsumexp": "none",
    **dict.fromkeys(
        (
            "avg_pool1d",
            "avg_pool2d",
            "avg_pool3d",
            "adaptive_avg_pool1d",
            "adaptive_avg_pool2d",
            "adaptive_avg_pool3d",
            "upsample_nearest1d",
            "upsample_nearest2d",
            "upsample_bilinear2d",
            "upsample_bicubic2d",
        ),
        "pool",
    ),
    **dict.fromkeys(
        (
            "max_pool1d",
            "max_pool2d",
            "max_pool3d",
            "max_pool2d_with_indices",
            "adaptive_max_pool2d",
        ),
        "max_pool",
    ),
}
"""Operations that are handled like another."""
