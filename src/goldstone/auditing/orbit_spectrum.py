"""Which irreps learning respects: the Fourier transform of gradient products over a group."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.gram_statistics import centred_mean, same_mean, with_interval
from goldstone.auditing.orbit_gram import OrbitGram, orbit_gram
from goldstone.auditing.statistics import Bootstrap
from goldstone.auditing.subject import Subject
from goldstone.core import InputError, Progress, SilentProgress, Statistic
from goldstone.groups import FiniteGroup, Group
from goldstone.representations import Irrep, irreps

LARGEST_ORDER = 64
_SILENT = SilentProgress()


@dataclass(frozen=True)
class IrrepShare:
    """What one real irrep σ holds of the gradients' energy along orbits.

    Attributes:
        irrep: its name.
        dimension: d.
        uniform: its share if gradients at different poses have nothing in common,
            d²/(dim End · |G|).
        share: of E_x‖∇ℓ_gx‖².
        centred_share: of the same with the mean over trajectories taken from every pose's
            gradients: what learning shares between the poses of *one* x, not between any two.
        spectrum: the d eigenvalues of φ̂(σ), largest first, as shares; they sum to ``share``. None
            where every gradient is zero.
    """

    irrep: str
    dimension: int
    uniform: float
    share: Statistic
    centred_share: Statistic
    spectrum: tuple[float, ...]


@dataclass(frozen=True)
class OrbitSpectrum:
    """The orbit-Gram spectrum by irreps; shares sum to one. See :func:`orbit_spectrum`.

    Attributes:
        group: its name.
        order: |G|.
        unit: whether gradients were divided by their norms.
        irreps: the trivial one first.
        relative_error: of the products, where the gradients were sketched.
    """

    group: str
    order: int
    unit: bool
    irreps: tuple[IrrepShare, ...]
    relative_error: float

    def share_of(self, irrep: str) -> IrrepShare:
        """The entry of the irrep of this name."""
        for entry in self.irreps:
            if entry.irrep == irrep:
                return entry
        raise InputError(f"no irrep {irrep!r}; there are {[e.irrep for e in self.irreps]}")


def orbit_spectrum(
    gram: OrbitGram, group: FiniteGroup[Any], bootstrap: Bootstrap, *, unit: bool = True
) -> OrbitSpectrum:
    """Shares of the irreps in K(g, h) = E_x⟨∇ℓ_gx, ∇ℓ_hx⟩.

    Averaged over the pose that x starts in, K depends on k = g h⁻¹ alone, and φ(k) is a
    positive-definite function on G. Its Fourier transform φ̂(σ) = Σ_k φ(k) σ(k)ᵀ is positive
    semi-definite, and φ(e) = Σ_σ d_σ/(|G| dim End_σ) tr φ̂(σ): the terms over φ(e) are the shares.
    Equally, the share of σ is the energy of g ↦ ∇ℓ_gx in the isotypic part of σ in the functions
    on G. All of it lies in the trivial irrep exactly if ∇ℓ_gx is the same for all g, which built-in
    equivariance gives; then |G| · share is the orbit's m-coherence.

    The trivial share is large between *any* gradients of an untrained network; ``centred_share``
    is to the share what ρ is to the cosine of a pair.

    Args:
        gram: of all elements of the group, each once, in any order.
        group: up to 64 elements.
        bootstrap: resamples of the Gram matrix's trajectories.
        unit: of gradients divided by their norms; otherwise of raw ones.

    Raises:
        InputError: the group is larger, or the Gram matrix is not of all its elements.
    """
    elements = _in_order_of(gram, group)
    products = (gram.unit() if unit else gram).products
    # The number of g h⁻¹ for all g, h of the Gram matrix.
    number = group.index(group.compose(elements[:, None], group.inverse(elements)[None]))
    everything = group.element_tensor()
    found = irreps(group, "real")
    energies = []
    for irrep in found:
        weight = irrep.dimension / (irrep.endomorphism_dimension * group.order)
        characters = irrep.character_unchecked(everything).real[number]
        energies.append(weight * torch.einsum("gihj,gh->ij", products, characters))
    total = torch.stack(energies).sum(0)
    phi = _symmetrised(products, number)
    return OrbitSpectrum(
        group=group.name,
        order=group.order,
        unit=unit,
        irreps=tuple(
            IrrepShare(
                irrep=irrep.name,
                dimension=irrep.dimension,
                uniform=irrep.dimension**2 / (irrep.endomorphism_dimension * group.order),
                share=_share(energy, total, bootstrap),
                centred_share=_centred(energy, total, bootstrap),
                spectrum=_spectrum(phi, irrep, everything),
            )
            for irrep, energy in zip(found, energies, strict=True)
        ),
        relative_error=gram.relative_error,
    )


def measure_orbit_spectrum(
    subject: Subject,
    symmetry: Symmetry,
    *,
    unit: bool = True,
    memory: str | int = "4GB",
    progress: Progress = _SILENT,
) -> OrbitSpectrum:
    """Take the gradients at every element of the symmetry's group, and their spectrum.

    Raises:
        InputError: the group is not finite or has more than 64 elements, or as
            :func:`~goldstone.auditing.orbit_gram`.
    """
    group = listed_group(symmetry.group)
    elements = [g for g in group.elements() if g != group.identity]
    gram = orbit_gram(subject, symmetry, elements, memory, progress)
    return orbit_spectrum(gram, group, subject.bootstrap, unit=unit)


def listed_group(group: Group[Any]) -> FiniteGroup[Any]:
    """The group, if it is finite and small; raises otherwise."""
    if not isinstance(group, FiniteGroup) or group.order > LARGEST_ORDER:
        raise InputError(
            f"the spectrum needs the gradients at every element of a finite group of at most "
            f"{LARGEST_ORDER}, got {group.name}; take a finite subgroup"
        )
    return group


def _in_order_of(gram: OrbitGram, group: FiniteGroup[Any]) -> Tensor:
    """The group's elements in the order of the Gram matrix."""
    listed_group(group)
    number = {group.element_name(g): g for g in group.elements()}
    if set(gram.elements) != set(number) or len(gram.elements) != len(number):
        raise InputError(
            f"expected gradients at all {group.order} elements of {group.name}, got those at "
            f"{list(gram.elements)}"
        )
    return group.tensor(tuple(number[name] for name in gram.elements))


def _symmetrised(products: Tensor, number: Tensor) -> Tensor:
    """φ(k) = mean over x and over g h⁻¹ = k of ⟨∇ℓ_gx, ∇ℓ_hx⟩, (order,)."""
    m = len(products)
    kernel = products.diagonal(dim1=1, dim2=3).nanmean(-1)
    phi = torch.zeros(m, dtype=torch.float64)
    return phi.index_add_(0, number.flatten(), kernel.flatten()) / m


def _spectrum(phi: Tensor, irrep: Irrep, everything: Tensor) -> tuple[float, ...]:
    """Eigenvalues of φ̂(σ) times d/(dim End |G| φ(e)); none where all gradients are zero."""
    if not bool(torch.isfinite(phi).all()) or not float(phi[0]) > 0:
        return ()
    matrices = irrep.matrix_unchecked(everything)
    transform = torch.einsum("k,kba->ab", phi, matrices)
    values = torch.linalg.eigvalsh((transform + transform.T) / 2).flip(0)
    weight = irrep.dimension / (irrep.endomorphism_dimension * len(phi) * phi[0])
    return tuple((values * weight).tolist())


def _share(energy: Tensor, total: Tensor, bootstrap: Bootstrap) -> Statistic:
    return with_interval(
        lambda counts: same_mean(energy, counts) / same_mean(total, counts), bootstrap
    )


def _centred(energy: Tensor, total: Tensor, bootstrap: Bootstrap) -> Statistic:
    """The centred share, None where all trajectories have the same gradients."""
    scale = float(total.diagonal().mean())
    once = torch.ones(1, bootstrap.n, dtype=torch.float64)
    spread = float(centred_mean(total, once)[0])
    if not isfinite(scale) or spread <= 1e-12 * scale:
        return Statistic(None, None, None, bootstrap.n)
    return with_interval(
        lambda counts: centred_mean(energy, counts) / centred_mean(total, counts), bootstrap
    )
