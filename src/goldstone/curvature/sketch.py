"""Per-sample gradients in little memory: several independent count sketches, as they stream."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError, Task, generator
from goldstone.curvature.parameters import real_dtype, trainable_parameters, vector_size
from goldstone.curvature.per_sample import Scalar, per_sample_gradients
from goldstone.curvature.tree_batches import TreeBatch

_COLUMNS = 1 << 16


@dataclass(frozen=True, eq=False)
class SketchedGram:
    """Inner products estimated from R independent sketches.

    Attributes:
        gram: (m, m) float64, their mean: unbiased.
        standard_error: (m, m) of that mean.
        replicates: (R, m, m), the estimate of each sketch, to carry the error on to what is
            computed from the products.
    """

    gram: Tensor
    standard_error: Tensor
    replicates: Tensor


@dataclass(frozen=True, eq=False)
class GradientSketch:
    """R sketches of width w of each of m gradients.

    Attributes:
        values: (R, m, w) in the gradients' dtype.
        seed: of the random maps: only sketches of one seed can be multiplied.
        length: of the gradients that were sketched.
    """

    values: Tensor
    seed: int
    length: int

    def gram(self) -> SketchedGram:
        """All inner products with their errors."""
        wide = self.values.double()
        replicates = wide @ wide.transpose(1, 2)
        error = replicates.std(0) / len(replicates) ** 0.5
        return SketchedGram(replicates.mean(0), error, replicates)

    def joined(self, other: "GradientSketch") -> "GradientSketch":
        """The sketches of both sets, one after the other.

        Raises:
            InputError: they are of different random maps.
        """
        mine = (self.seed, self.length, self.values.shape[0], self.values.shape[2])
        theirs = (other.seed, other.length, other.values.shape[0], other.values.shape[2])
        if mine != theirs:
            raise InputError(
                "sketches can be compared if they share seed, length, number and width; got "
                f"{mine} and {theirs}"
            )
        return GradientSketch(torch.cat([self.values, other.values], 1), self.seed, self.length)


@dataclass(frozen=True, eq=False)
class CountSketch:
    """A random linear map from p numbers to R × w that keeps inner products in the mean.

    The p coordinates are dealt into w buckets of equal size, the same for all R sketches, and
    summed there with random signs of each sketch's own.

    Attributes:
        order: (p,) int32: coordinate ``order[k]`` goes to bucket k mod w.
        signs: (⌈R/8⌉, p) uint8: bit r mod 8 of row r/8 is the sign of sketch r.
        sketches, width: R and w.
        seed: that all of it comes from.
    """

    order: Tensor
    signs: Tensor
    sketches: int
    width: int
    seed: int

    @classmethod
    def make(
        cls, length: int, width: int, sketches: int, seed: int, device: torch.device | str = "cpu"
    ) -> "CountSketch":
        """For vectors of ``length``."""
        source = generator(seed, "count sketch")
        order = torch.randperm(length, generator=source, dtype=torch.int32)
        size = (-(-sketches // 8), length)
        signs = torch.randint(0, 256, size, generator=source, dtype=torch.uint8)
        return cls(order.to(device), signs.to(device), sketches, width, seed)

    def apply(self, row: Tensor) -> Tensor:
        """(R, w) of ``row`` (p,), in its dtype."""
        out = torch.zeros(self.sketches, self.width, dtype=row.dtype, device=row.device)
        # A slice holds each bucket equally often, so that it can be summed as a matrix.
        step = self.width * max(1, _COLUMNS // self.width)
        for start in range(0, len(row), step):
            part = row.index_select(0, self.order[start : start + step])
            whole = self._dealt(part)
            for r in range(self.sketches):
                bits = (self.signs[r // 8, start : start + step] >> r % 8) & 1
                # The sign is 1 − 2 bit.
                out[r] += whole - 2 * self._dealt(part * bits)
        return out

    def _dealt(self, part: Tensor) -> Tensor:
        missing = -len(part) % self.width
        if missing:
            part = functional.pad(part, (0, missing))
        return part.reshape(-1, self.width).sum(0)


def sketch_gradients(
    model: nn.Module,
    scalar: Scalar,
    inputs: Tensor | TreeBatch,
    width: int | None = None,
    sketches: int = 8,
    seed: int = 0,
    task: Task | None = None,
) -> GradientSketch:
    """Count sketches of the gradients of :func:`per_sample_gradients`, one gradient at a time.

    ⟨sketch a, sketch b⟩ is unbiased for ⟨a, b⟩ with variance ≤ (‖a‖²‖b‖² + ⟨a, b⟩²)/w (Charikar,
    Chen & Farach-Colton 2002, "Finding Frequent Items in Data Streams"; Weinberger et al. 2009 for
    inner products). Given the buckets, which all sketches share, the signs make them independent:
    R narrow sketches have together the variance of one as wide as all of them, and their spread is
    the error bar.

    Holds the sketches, m · R · w numbers, and about two and a half gradients besides.

    Args:
        model: as of :func:`per_sample_gradients`.
        scalar: from the output on sample i and i to a scalar.
        inputs: (m, …).
        width: w; None for what makes all sketches 1/20 of the gradients' memory.
        sketches: R, at least two.
        seed: of buckets and signs; sets to be compared need the same.
        task: advanced by one a sample.

    Raises:
        InputError: fewer than two sketches or a width of zero; or as `per_sample_gradients`.
    """
    parameters = trainable_parameters(model)
    if not parameters:
        raise InputError("the model has no trainable parameter, so it has no gradients")
    length = vector_size(parameters)
    if sketches < 2 or (width is not None and width < 1):
        raise InputError(
            f"expected at least two sketches (for an error bar) of positive width, got {sketches} "
            f"of width {width}"
        )
    width = max(1, length // (20 * sketches)) if width is None else width
    device = next(iter(parameters.values())).device
    values = torch.zeros(sketches, len(inputs), width, dtype=real_dtype(parameters), device=device)
    sketch = CountSketch.make(length, width, sketches, seed, device)
    for i in range(len(inputs)):
        row = per_sample_gradients(model, scalar, inputs[i : i + 1], task, first=i)[0]
        values[:, i] = sketch.apply(row)
    return GradientSketch(values, seed, length)
