"""Where gradients decouple: coherences by parameter group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Symmetry
from goldstone.auditing.coherence import PairProducts
from goldstone.auditing.coherence_summary import CoherenceSummary, summarise_products
from goldstone.auditing.gram_statistics import covariance, same_mean, with_interval
from goldstone.auditing.named_elements import as_elements
from goldstone.auditing.orbit_samples import (
    check_subject,
    element_names,
    loss_gradients,
)
from goldstone.auditing.probed_model import leaves_model_as_found
from goldstone.auditing.subject import Subject
from goldstone.core import InputError, Progress, SilentProgress, Statistic
from goldstone.curvature import inner_products, trainable_parameters
from goldstone.curvature.parameters import parameter_slices, vector_size

_SILENT = SilentProgress()


@dataclass(frozen=True)
class GroupCoherence:
    """The gradients of one element's pairs, in the parameters of one group alone.

    Attributes:
        parameters: real numbers in the group.
        coherence: of gradients cut to the group and divided by their norms there.
        raw_orbit: ρ of the cut gradients as they are.
        energy: share of E‖a‖² in the group.
        contribution: the group's part of the whole ρ of unit gradients: its centred pair products
            over the whole's √(v_a v_b). The parts sum to ρ.
    """

    parameters: int
    coherence: CoherenceSummary
    raw_orbit: Statistic
    energy: Statistic
    contribution: Statistic


@dataclass(frozen=True)
class LayerCoherence:
    """Coherences of one element's pairs by parameter group, and of all parameters together."""

    groups: Mapping[str, GroupCoherence]
    total: CoherenceSummary


def parameter_groups(model: nn.Module, depth: int | None = None) -> dict[str, tuple[str, ...]]:
    """Names of trainable parameters by the module that owns them, in the model's order.

    Args:
        model: the model.
        depth: as many parts of the module's name make a group (``"down.0.conv"`` cut to depth 2 is
            ``"down.0"``); None for the module itself. Parameters of the model itself are in ``""``.

    Raises:
        InputError: the model has no trainable parameter, or the depth is below 1.
    """
    if depth is not None and depth < 1:
        raise InputError(f"expected a depth of at least 1, or None, got {depth}")
    found: dict[str, list[str]] = {}
    for name in trainable_parameters(model):
        path = name.split(".")[:-1]
        found.setdefault(".".join(path[:depth]), []).append(name)
    if not found:
        raise InputError("the model has no trainable parameter, so it has no gradients")
    return {group: tuple(names) for group, names in found.items()}


def group_products(
    a: Tensor,
    b: Tensor,
    model: nn.Module,
    groups: Mapping[str, Sequence[str]],
    known: Mapping[str, PairProducts] | None = None,
) -> dict[str, PairProducts]:
    """Inner products of gradients a, b (n, p) cut to each group of parameters.

    One slice of columns at a time is made float64; nothing else of the gradients' size is held. If
    each parameter is in one group the products of the groups sum to those of the whole. Where those
    of the same a with other gradients are ``known``, its products with itself are taken from them.

    Raises:
        InputError: a group is empty or names a parameter that is not trainable, or the gradients
            are not of this model.
    """
    parameters = trainable_parameters(model)
    slices = parameter_slices(parameters)
    size = vector_size(parameters)
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] != size:
        raise InputError(
            f"expected gradients of shape (n, {size}) twice, got {tuple(a.shape)} and "
            f"{tuple(b.shape)}"
        )
    n = len(a)
    found = {}
    for group, names in groups.items():
        unknown = [name for name in names if name not in slices]
        if unknown or not names:
            raise InputError(
                f"group {group!r}: expected trainable parameters of the model, got "
                f"{unknown or 'none'}"
            )
        aa, ab, bb = torch.zeros(3, n, n, dtype=torch.float64)
        for name in names:
            left, right = a[:, slices[name]], b[:, slices[name]]
            if known is None:
                aa += inner_products(left).cpu()
            ab += inner_products(left, right).cpu()
            bb += inner_products(right).cpu()
        found[group] = PairProducts(aa if known is None else known[group].aa, ab, bb)
    return found


def layer_coherence(
    products: Mapping[str, PairProducts], sizes: Mapping[str, int], subject: Subject
) -> LayerCoherence:
    """Coherences of every group of parameters, from :func:`group_products`.

    A group of small gradients can be coherent and change nothing: ``energy`` and ``contribution``
    say how much it weighs.

    Args:
        products: by group; each parameter in one of them.
        sizes: real numbers in each group.
        subject: whose bootstrap and permutations are used.
    """
    bootstrap = subject.bootstrap
    parts = list(products.values())
    whole = PairProducts(
        sum((p.aa for p in parts), torch.zeros(())),
        sum((p.ab for p in parts), torch.zeros(())),
        sum((p.bb for p in parts), torch.zeros(())),
    )
    unit = whole.unit()
    a, b = whole.aa.diagonal().sqrt(), whole.bb.diagonal().sqrt()

    def one(name: str, part: PairProducts) -> GroupCoherence:
        # Divided by the norms of the whole gradients, so that the parts sum up.
        scaled = part.ab / a[:, None] / b

        def contribution(counts: Tensor) -> Tensor:
            variance = covariance(unit.aa, counts) * covariance(unit.bb, counts)
            return covariance(scaled, counts) / variance.sqrt()

        return GroupCoherence(
            parameters=sizes[name],
            coherence=summarise_products(part.unit(), subject),
            raw_orbit=summarise_products(part, subject).orbit,
            energy=with_interval(
                lambda counts: same_mean(part.aa, counts) / same_mean(whole.aa, counts), bootstrap
            ),
            contribution=with_interval(contribution, bootstrap),
        )

    return LayerCoherence(
        {name: one(name, part) for name, part in products.items()},
        summarise_products(unit, subject),
    )


@leaves_model_as_found
def measure_layer_coherence(
    subject: Subject,
    symmetry: Symmetry,
    elements: Sequence[Any],
    depth: int | None = None,
    progress: Progress = _SILENT,
) -> dict[str, LayerCoherence]:
    """Coherences by parameter group for each element, by its name.

    Two sets of gradients are held at a time, (n, p) each. Elements are values of the group, or
    names such as ``"r"``.

    Raises:
        InputError: several samples of one trajectory, no elements, or as :func:`parameter_groups`.
    """
    check_subject(subject)
    elements = as_elements(symmetry, elements)
    names = element_names(symmetry, elements)
    groups = parameter_groups(subject.model, depth)
    slices = parameter_slices(trainable_parameters(subject.model))
    sizes = {
        group: sum(slices[name].stop - slices[name].start for name in members)
        for group, members in groups.items()
    }
    total = subject.samples.trajectories * (len(names) + 1)
    with progress.task("gradients by layer", total) as task:
        plain = loss_gradients(subject, symmetry, symmetry.group.identity, task)
        found = {}
        products = None
        for name, g in zip(names, elements, strict=True):
            moved = loss_gradients(subject, symmetry, g, task)
            products = group_products(plain, moved, subject.model, groups, products)
            found[name] = layer_coherence(products, sizes, subject)
        return found
