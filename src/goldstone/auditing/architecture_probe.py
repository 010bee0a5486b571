"""One architecture under a list of elements: errors at its weights and beside them, gradients."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry, TrivialAction
from goldstone.auditing.answers import EXACT_FLOORS
from goldstone.auditing.coherence import PairProducts
from goldstone.auditing.forward import distances, norms
from goldstone.auditing.inspection import model_place, numerical_floor, predict
from goldstone.auditing.probed_model import as_module, probed
from goldstone.auditing.weight_perturbation import perturbed_copy
from goldstone.core import InputError, derive_seed, generator, trees
from goldstone.core.trees import Tree
from goldstone.curvature import TreeBatch, TreeModel, inner_products, per_sample_gradients

Architecture = nn.Module | Callable[[], nn.Module]
"""A module as it is, or a function or class that makes one with new weights."""


@dataclass(frozen=True, eq=False)
class WeightErrors:
    """Of one element at one set of weights: per-sample errors, and whether they are rounding."""

    error: Tensor
    relative_to_spread: Tensor
    exact: bool


@dataclass(frozen=True, eq=False)
class PairedGradients:
    """Of one element: products of the paired gradients, and their relative difference."""

    products: PairProducts
    error: float
    tolerance: float


@dataclass(frozen=True, eq=False)
class MeasuredElement:
    """Of one element and seed: at the initial weights, at perturbed ones, and gradients if any."""

    initial: WeightErrors
    perturbed: WeightErrors
    gradients: PairedGradients | None


@dataclass(frozen=True, eq=False)
class ArchitectureProbe:
    """What is done to every architecture, whatever it is."""

    elements: tuple[tuple[Symmetry, Any], ...]
    inputs: Tree
    gradient_samples: int
    perturbation: float
    context: Context
    batch: int
    seed: int

    def measure(self, architecture: Architecture, k: int) -> list[MeasuredElement]:
        """All elements at the k-th initial weights and beside them."""
        model = _instance(architecture, derive_seed(self.seed, "initial weights", k))
        inputs = trees.place(self.inputs, *model_place(model))
        with probed(model, inputs) as module:
            initial = self._errors(module, inputs)
            gradients = self._gradients(module, inputs, k)
        moved = perturbed_copy(model, self.perturbation, derive_seed(self.seed, k))
        with probed(moved, inputs) as module:
            perturbed = self._errors(module, inputs)
        return [MeasuredElement(*each) for each in zip(initial, perturbed, gradients, strict=True)]

    def _errors(self, model: nn.Module, inputs: Tree) -> list[WeightErrors]:
        plain = predict(model, inputs, self.batch)
        sizes = norms(plain).double()
        floor = numerical_floor(model, inputs)
        found = []
        for symmetry, element in self.elements:
            moved = symmetry.on_input.act(element, inputs, self.context)
            of_moved = predict(model, moved, self.batch)
            expected = symmetry.on_output.act(element, plain, self.context.at(1))
            gap = distances(of_moved, expected).double()
            # No difference is none, also where the output is zero or the same for all samples.
            error = torch.where(gap == 0, 0.0, gap / sizes)
            relative_to_spread = torch.where(gap == 0, 0.0, gap / _spread(of_moved, expected))
            exact = float(error.mean()) <= EXACT_FLOORS * floor
            found.append(WeightErrors(error.cpu(), relative_to_spread.cpu(), exact))
        return found

    def _gradients(
        self, model: nn.Module, inputs: Tree, k: int
    ) -> Sequence[PairedGradients | None]:
        """Of ⟨w, g f(x)⟩ and ⟨w, f(gx)⟩, with one w for all samples.

        With one w the mean over different samples, which ρ takes off, is all that is not of x.
        """
        trainable = any(p.requires_grad for p in model.parameters())
        if not trainable or not self.gradient_samples:
            return [None] * len(self.elements)
        few = trees.take(inputs, slice(self.gradient_samples))
        length = trees.flat(predict(model, trees.take(few, slice(1)))).shape[1]
        source = generator(self.seed, "probe", k)
        device, dtype = model_place(model)
        w = torch.randn(length, generator=source, dtype=torch.float64).to(device, dtype)
        fixed = any(_keeps_output(symmetry) for symmetry, _ in self.elements)
        plain = _gradients_of(model, few, lambda out: trees.flat(out)[0] @ w) if fixed else None
        return [self._paired(model, few, s, g, w, plain) for s, g in self.elements]

    def _paired(
        self,
        model: nn.Module,
        inputs: Tree,
        symmetry: Symmetry,
        element: Any,
        w: Tensor,
        plain: Tensor | None,
    ) -> PairedGradients:
        moved = symmetry.on_input.act(element, inputs, self.context)

        def of_turned(output: Tree) -> Tensor:
            turned = symmetry.on_output.act(element, output, self.context.at(1))
            return trees.flat(turned)[0] @ w

        kept = plain if _keeps_output(symmetry) else None
        a = _gradients_of(model, inputs, of_turned) if kept is None else kept
        b = _gradients_of(model, moved, lambda out: trees.flat(out)[0] @ w)
        difference, size = (a - b).norm(dim=1), a.norm(dim=1)
        error = torch.where(difference == 0, 0.0, difference / size)
        products = PairProducts.from_gram(inner_products(torch.cat([a, b]))).unit()
        # Rounding in a gradient is far below the root of the machine epsilon; no effect is.
        return PairedGradients(products, float(error.max()), torch.finfo(a.dtype).eps ** 0.5)


def _keeps_output(symmetry: Symmetry) -> bool:
    return isinstance(symmetry.on_output, TrivialAction)


def _gradients_of(model: nn.Module, inputs: Tree, scalar: Callable[[Tree], Tensor]) -> Tensor:
    return per_sample_gradients(
        TreeModel(model), lambda output, _: scalar(output), TreeBatch(inputs)
    )


def _instance(architecture: Architecture, seed: int) -> nn.Module:
    """A module of its own in evaluation mode; torch's random state is left as it was."""
    if isinstance(architecture, nn.Module):
        return copy.deepcopy(as_module(architecture)).eval()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        made = architecture()
    if not isinstance(made, nn.Module):
        raise InputError(f"expected a function that makes a module, got a {type(made).__name__}")
    return made.eval()


def _spread(a: Tree, b: Tree) -> Tensor:
    """Root mean square of ‖a_i − b_j‖ over j ≠ i, (n,)."""
    apart = torch.cdist(trees.flat(a).double(), trees.flat(b).double()).square()
    n = len(apart)
    return ((apart.sum(1) - apart.diagonal()) / (n - 1)).sqrt()
