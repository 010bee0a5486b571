"""What an audit may hold in memory, and in what form it therefore keeps its gradients."""

import ctypes
import os
from dataclasses import dataclass, replace
from math import ceil

import torch
from torch import Tensor, nn

from goldstone.auditing.samples import AuditData
from goldstone.auditing.settings import AuditSettings, MetricName
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.curvature import memory_bytes, trainable_parameters
from goldstone.curvature.parameters import real_dtype, vector_size

SKETCHES = 8
LEAST_WIDTH = 128
"""Of one sketch: all eight give a cosine to about 0.03."""
_SLAB = 1 << 18
_ROOM = 0.9
"""Share of the memory that is planned with; the rest is for what the allocator wastes."""
_SOLVED: tuple[MetricName, ...] = ("gauss-newton-diagonal", "kfac", "ekfac", "adam")
_SETS = 3
"""Loss and probe gradients at the identity, and one set at an element."""


@dataclass(frozen=True)
class MemoryPlan:
    """How an audit keeps to its memory.

    Attributes:
        memory: allowed, bytes.
        dense: bytes that it would take to keep every vector as it is.
        needed: bytes that this plan takes at most.
        width: of each of the eight sketches of a gradient; None where gradients are kept whole.
        batch: samples evaluated together in the forward tests.
        reference_batch: reference samples that gradients are pushed forward through together.
    """

    memory: int
    dense: int
    needed: int
    width: int | None
    batch: int
    reference_batch: int

    @property
    def streamed(self) -> bool:
        """Whether each gradient is sketched and dropped."""
        return self.width is not None

    def describe(self) -> str:
        """How gradients are kept, where they are not kept whole."""
        if self.width is None:
            return ""
        return (
            f"streamed: {SKETCHES} count sketches of width {self.width}, some "
            f"{self.needed / 1e6:.0f} MB in place of {self.dense / 1e6:.0f} MB"
        )


@dataclass(frozen=True)
class Sizes:
    """What the memory depends on; bytes unless said otherwise.

    Attributes:
        parameters: p, numbers.
        itemsize: of one of them.
        samples, reference: how many samples.
        sample: one sample's input, target and prediction.
        outputs: numbers in one prediction.
        activations: kept for the backward pass of one sample.
        factors: Kronecker factors of the model's matrices.
    """

    parameters: int
    itemsize: int
    samples: int
    reference: int
    sample: int
    outputs: int
    activations: int
    factors: int


def fitting_settings(
    model: nn.Module, data: AuditData, settings: AuditSettings, *, gradients: bool
) -> AuditSettings:
    """The settings with as large a batch as their memory allows, before any work.

    Raises:
        InputError: as :func:`plan_memory`.
    """
    asked = settings if gradients else replace(settings, metrics=())
    plan = plan_memory(model, data.gradient.inputs, data.reference, asked)
    return replace(settings, batch=plan.batch)


def plan_memory(
    model: nn.Module, inputs: Tree, reference: Tree, settings: AuditSettings
) -> MemoryPlan:
    """The plan for gradients of ``inputs``: whole where they fit into ``settings.memory``.

    Counted are the gradients, their images and pushforwards, the spans and factors of the metrics,
    what is at work on one gradient, and the activations of one sample, which is run once to see
    them. Model and data are not.

    Raises:
        InputError: not even narrow sketches fit, or a metric needs whole gradients that do not; it
            says the least memory that would do.
    """
    return _plan(measure_sizes(model, inputs, reference, settings), settings)


def measure_sizes(
    model: nn.Module, inputs: Tree, reference: Tree, settings: AuditSettings
) -> Sizes:
    """The sizes, from the model and one sample of each."""
    parameters = trainable_parameters(model)
    one = trees.take(inputs, slice(1))
    activations, output = activation_bytes(model, one)
    return Sizes(
        parameters=vector_size(parameters),
        itemsize=real_dtype(parameters).itemsize if parameters else 4,
        samples=min(settings.samples, trees.batch_size(inputs)),
        reference=trees.batch_size(reference),
        sample=_bytes(one) + 2 * _bytes(output),
        outputs=trees.flat(output).shape[1],
        activations=activations,
        factors=sum(
            8 * ((p.numel() // len(p)) ** 2 + len(p) ** 2)
            for p in parameters.values()
            if p.ndim > 1 and len(p)
        ),
    )


def activation_bytes(model: nn.Module, inputs: Tree) -> tuple[int, Tree]:
    """Bytes that autograd keeps for the backward pass, beside the parameters; and the output."""
    own = {p.untyped_storage().data_ptr() for p in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
        output = trees.map_leaves(Tensor.detach, trees.call_model(model, inputs))
    return sum(kept.values()) + _bytes(output), output


def give_back_memory() -> None:
    """Return freed pages to the system, which the GNU C library otherwise keeps in reach."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _plan(sizes: Sizes, settings: AuditSettings) -> MemoryPlan:
    allowed = memory_bytes(settings.memory)
    usable = int(_ROOM * allowed)
    # A forward pass holds no more than what the backward pass would need of it, and some more.
    forward = 2 * sizes.activations + sizes.sample
    batch = min(settings.batch, max(1, usable // max(forward, 1)))
    pushed = 3 * sizes.activations
    reference_batch = min(sizes.reference, max(1, usable // 4 // max(pushed, 1))) or 1
    metrics = set(settings.metrics)
    if "gauss-newton" in metrics and sizes.itemsize < 4:
        raise InputError(
            "the metric 'gauss-newton' is solved by conjugate gradients, which do not converge in "
            "half precision; audit model.float(), or use 'galerkin' or 'randomised-gauss-newton'"
        )
    working = _working(sizes, metrics, reference_batch if "galerkin" in metrics else 0)
    dense = working + _dense(sizes, metrics)
    if not metrics or dense <= usable:
        return MemoryPlan(allowed, dense, max(dense, batch * forward), None, batch, reference_batch)
    if "gauss-newton" in metrics:
        raise InputError(
            f"memory: the metric 'gauss-newton' solves with whole gradients, which take "
            f"{_say(dense)}, more than the {settings.memory!r} allowed; allow that much, take "
            "fewer samples, or use 'galerkin' or 'randomised-gauss-newton'"
        )
    fixed = _working(sizes, metrics, 1 if "galerkin" in metrics else 0) + _maps(sizes, metrics)
    each = _each_width(sizes, metrics)
    least = max(fixed + LEAST_WIDTH * each, forward)
    if least > usable:
        raise InputError(
            f"memory: {settings.memory!r} is too little even to sketch the gradients of "
            f"{sizes.parameters} parameters one at a time; the least that will do is "
            f"{_say(least)}"
        )
    fixed_here = working + _maps(sizes, metrics)
    if fixed_here + LEAST_WIDTH * each > usable:
        fixed_here, reference_batch = fixed, 1
    # Wider than half the gradients sketches are no smaller than what they stand for.
    widest = max(LEAST_WIDTH, sizes.parameters // (2 * SKETCHES))
    width = min((usable - fixed_here) // each, widest)
    return MemoryPlan(allowed, dense, fixed_here + width * each, width, batch, reference_batch)


def _dense(sizes: Sizes, metrics: set[MetricName]) -> int:
    """Gradients, images and pushforwards kept whole."""
    row, n = sizes.parameters * sizes.itemsize, sizes.samples
    solved = len(metrics & set(_SOLVED))
    # Images are single precision at least; a set is solved at once, through a copy.
    image = sizes.parameters * max(4, sizes.itemsize)
    total = _SETS * n * (row + solved * image) + (n * image if solved else 0)
    if "galerkin" in metrics:
        total += _SETS * n * sizes.outputs * sizes.reference * sizes.itemsize
    if "gauss-newton" in metrics:
        total += 4 * n * row + sizes.reference * 2 * sizes.activations
    total += _span(sizes, metrics) * row
    # Products are made in float64, a slice of columns of two sets at a time.
    return total + 2 * n * min(sizes.parameters, _SLAB) * (8 + 2 * sizes.itemsize)


def _span(sizes: Sizes, metrics: set[MetricName]) -> int:
    """Rows that span metrics: eight probes a reference sample, or one gradient each."""
    rows = 8 * sizes.reference if "randomised-gauss-newton" in metrics else 0
    return rows + (sizes.reference if "empirical-fisher" in metrics else 0)


def _working(sizes: Sizes, metrics: set[MetricName], reference_batch: int) -> int:
    """What is at work on one gradient, and what the metrics hold of the model's size."""
    row = sizes.parameters * sizes.itemsize
    # The gradient in parts and in one piece, and a mask of what is finite; activations grow their
    # own gradients; the samples are moved.
    total = 2 * row + sizes.parameters + 2 * sizes.activations + 4 * sizes.samples * sizes.sample
    if reference_batch:
        total += 3 * sizes.activations * reference_batch
        total += 2 * sizes.outputs * sizes.reference * sizes.itemsize
    solved = metrics & set(_SOLVED)
    total += len(solved) * (8 * sizes.parameters + row)
    if "gauss-newton-diagonal" in metrics:
        total += 12 * 8 * sizes.parameters
    if metrics & {"kfac", "ekfac"}:
        total += 4 * sizes.factors + 2 * row
    if _span(sizes, metrics):
        total += 8 * row
    return total


def _maps(sizes: Sizes, metrics: set[MetricName]) -> int:
    """The random maps: an order and the signs."""
    size = 4 + ceil(SKETCHES / 8)
    pushed = sizes.outputs * sizes.reference if "galerkin" in metrics else 0
    return size * (sizes.parameters + pushed)


def _each_width(sizes: Sizes, metrics: set[MetricName]) -> int:
    """Bytes for each number in the width of a sketch."""
    kinds = 1 + len(metrics & set(_SOLVED)) + ("galerkin" in metrics)
    item = max(4, sizes.itemsize)
    kept = SKETCHES * item * (_SETS * sizes.samples * kinds + _span(sizes, metrics))
    return kept + 2 * sizes.samples * (8 + 2 * item)


def _bytes(tree: Tree) -> int:
    return sum(leaf.numel() * leaf.element_size() for leaf in trees.leaves(tree))


def _say(size: int) -> str:
    return f"'{ceil(size / _ROOM / 1e6)}MB'"
