"""Does a network's function stay as it is when its parameters move?"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError, SymmetryRefusedError, generator, trees
from goldstone.weightspace.symmetries.parameter_symmetries import ParameterSymmetries
from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry

FAR = 1e4
"""Where the ε of norms no longer counts: parameters before a norm are scaled up by this."""


@dataclass(frozen=True)
class SymmetryCheck:
    """How much a random element of one symmetry changed the outputs.

    Attributes:
        symmetry: the one tested.
        difference: largest |f(gθ) − f(θ)| over max |f(θ)|, in float64. Of symmetries that hold up
            to the ε of a norm, at 10⁴ times the scale, where it does not count.
        with_epsilon: the same at the scale of the given weights; equal for exact symmetries.
    """

    symmetry: ParameterSymmetry
    difference: float
    with_epsilon: float


def check_symmetries(
    model: nn.Module,
    inputs: Sequence[Any],
    symmetries: ParameterSymmetries | Sequence[ParameterSymmetry],
    *,
    seed: int = 0,
    tolerance: float = 1e-8,
) -> tuple[SymmetryCheck, ...]:
    """Move the parameters by one random element of each symmetry, in float64, and compare outputs.

    Args:
        model: in the mode for which the symmetries were found; not changed.
        inputs: the positional arguments of its forward.
        symmetries: those to test.
        seed: of the elements.
        tolerance: the largest relative difference that counts as rounding.

    Raises:
        InputError: a weight is not finite, or two runs of the network differ.
        SymmetryRefusedError: an element changes the function; says by how much.
    """
    chosen = (
        symmetries.symmetries if isinstance(symmetries, ParameterSymmetries) else tuple(symmetries)
    )
    model = copy.deepcopy(model).double()
    state = {name: x.detach() for name, x in model.state_dict().items()}
    check_finite_weights(state)
    arguments = tuple(trees.map_leaves(_doubled, one) for one in inputs) if inputs else ()
    before = _outputs(model, state, arguments)
    if not torch.equal(before, _outputs(model, state, arguments)):
        raise InputError(
            "two runs of the network with the same weights differ (dropout?): its symmetries hold "
            "for the distribution of outputs alone; call eval() on what is random"
        )
    checks = []
    for number, symmetry in enumerate(chosen):
        stream = generator(seed, "check symmetries", number)
        element = symmetry.random_element(stream)
        moved = symmetry.act(element, state)
        near = _difference(before, _outputs(model, moved, arguments))
        difference = near
        if not symmetry.exact:
            far = FAR * torch.ones_like(element)
            base = _outputs(model, symmetry.act(far, state), arguments)
            difference = _difference(
                base, _outputs(model, symmetry.act(far * element, state), arguments)
            )
        if not difference <= tolerance:
            raise SymmetryRefusedError(
                f"the {symmetry.kind} symmetry {symmetry.group_name} of {symmetry.name} changes "
                f"the outputs by {difference:.2g} of their size (tolerance {tolerance:g}): it is "
                "no symmetry of this network in this mode"
            )
        checks.append(SymmetryCheck(symmetry, difference, near))
    return tuple(checks)


def check_finite_weights(state: Mapping[str, Tensor], name: str = "the network") -> None:
    """Raise unless every weight is a finite number.

    Raises:
        InputError: one is NaN or infinite; names the tensor.
    """
    for key, x in state.items():
        if trees.is_continuous(x) and not bool(x.isfinite().all()):
            raise InputError(f"{name} has weights that are not finite numbers, in {key}")


def _outputs(model: nn.Module, state: Mapping[str, Tensor], arguments: tuple[Any, ...]) -> Tensor:
    # Running statistics are written to in train mode: every call gets its own.
    own = {name: x.clone() for name, x in state.items()}
    with torch.no_grad():
        out = torch.func.functional_call(model, own, arguments, tie_weights=False)
    return torch.cat([x.double().reshape(-1) for x in trees.leaves(out)])


def _difference(before: Tensor, after: Tensor) -> float:
    size = before.abs().max().clamp_min(torch.finfo(torch.float64).tiny)
    return float((after - before).abs().max() / size)


def _doubled(x: Tensor) -> Tensor:
    return x.double() if x.is_floating_point() else x
