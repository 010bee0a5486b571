"""Convolution over points of space: messages from neighbours that turn with the cloud."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.groups import OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.edge_products import EdgeProducts
from goldstone.nn.equivariant_linear import EquivariantLinear
from goldstone.nn.parts import check_components, parts_by_type
from goldstone.nn.point_edges import PointEdges
from goldstone.nn.radial_basis import RadialBasis, smooth_cutoff
from goldstone.nn.ragged import check_sets, real_entries, without_padding
from goldstone.nn.second_moment import second_moment
from goldstone.representations import (
    DirectSum,
    O3Irrep,
    Representation,
    SO3Irrep,
    clebsch_gordan,
    spherical_harmonics,
)


class PointConv(Constants):
    """y_i = A x_i + B Σ_j w(|r_ij|) ⊙ (x_j ⊗ Y(r_ij/|r_ij|)) / √neighbours, with r_ij = r_j − r_i.

    Features at points turn with the cloud and go with their point. Each neighbour's features are
    multiplied with the spherical harmonics of its direction by all Clebsch–Gordan products
    ("paths") with values in a part of the target; each path and copy has a weight of its own, a
    learned function of the distance that vanishes smoothly at the cutoff; A and B are
    :class:`EquivariantLinear`. With shifts, rotations (and reflections for O(3)) and permutations
    of the points it commutes for all weights: S_n × E(3). Thomas et al. 2018, "Tensor field
    networks"; the products copy by copy are those of Batzner et al. 2022, NequIP.

    (features (batch, point, source), positions (batch, point, 3)) → (batch, point, target): all
    pairs of points are taken, in time and memory n², for clouds of up to some hundred points.
    (features (point, source), :func:`point_edges`) → (point, target): the neighbours alone, for
    many points, samples of different sizes in one list, and periodic boxes. Both are equal.

    Args:
        source: representation of SO(3) or O(3) of the features.
        target: of the output.
        degree: largest l of the harmonics.
        cutoff: distance from which on points do not see each other.
        radial: number of radial functions.
        hidden: width of the network from these to the weights.
        neighbours: how many a point has, roughly, to keep the variance.

    Raises:
        InputError: another group, or no product of a part of the source and the harmonics lies in
            the target.
    """

    @computed_on_cpu
    def __init__(
        self,
        source: Representation,
        target: Representation,
        degree: int = 2,
        *,
        cutoff: float,
        radial: int = 8,
        hidden: int = 32,
        neighbours: float = 8.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        harmonics = _harmonics(source, degree)
        if not neighbours > 0:
            raise InputError(f"expected a positive number of neighbours, got {neighbours}")
        self.source, self.target = source, target
        self.source_channels, self.degree, self.neighbours = source.dimension, degree, neighbours
        types = parts_by_type(source)
        wanted = [part for part, _ in parts_by_type(target)]
        middle: list[Representation] = []
        self._paths: list[tuple[int, int, int]] = []
        self._slices: list[tuple[int, int]] = []
        count = 0
        for s, (part, starts) in enumerate(types):
            for degree_, harmonic in enumerate(harmonics):
                for value in wanted:
                    for n, product in enumerate(clebsch_gordan(part, harmonic, value)):
                        # (component of x, of Y, of y).
                        name = f"_product_{len(self._paths)}"
                        self.register_constant(name, product)
                        self._paths.append((s, degree_, n))
                        self._slices.append((count, count + len(starts)))
                        middle += [value] * len(starts)
                        count += len(starts)
        if not count:
            raise InputError(
                "no product of the source's parts with spherical harmonics up to degree "
                f"{degree} lies in the target; raise the degree or add parts to the target"
            )
        products = [getattr(self, f"_product_{p}") for p in range(len(self._paths))]
        paths = [(s, low, c) for (s, low, _), c in zip(self._paths, products, strict=True)]
        kept = dtype or torch.get_default_dtype()
        self.along = EdgeProducts(types, paths, degree).cast(device, kept)
        self.radial = RadialBasis(radial, cutoff, device=device, dtype=dtype)
        self.first = nn.Linear(radial, hidden, device=device, dtype=dtype)
        self.last = nn.Linear(hidden, count, device=device, dtype=dtype)
        carried = DirectSum(source.group, tuple(middle))
        self.mix = EquivariantLinear(carried, target, device=device, dtype=dtype)
        shared = {part for part, _ in types} & set(wanted)
        self.own = (
            EquivariantLinear(source, target, bias=False, device=device, dtype=dtype)
            if shared
            else None
        )
        for s, (part, starts) in enumerate(types):
            channels = [[start + k for k in range(part.dimension)] for start in starts]
            self.register_constant(f"_channels_{s}", torch.tensor(channels))
        self.cast(device, kept)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Radial weights of unit variance for radial functions of unit variance."""
        gain = 1 / sqrt(second_moment(functional.silu))
        for layer, scale in ((self.first, 1.0), (self.last, gain)):
            nn.init.normal_(layer.weight, std=scale / sqrt(layer.in_features), generator=generator)
            nn.init.zeros_(layer.bias)
        self.mix.reset_parameters(generator)
        if self.own is not None:
            self.own.reset_parameters(generator)

    def forward(
        self, features: Tensor, points: Tensor | PointEdges, mask: Tensor | None = None
    ) -> Tensor:
        """Send messages between all points nearer than the cutoff.

        Args:
            features: (batch, point, source dimension); (point, source dimension) with edges.
            points: positions (batch, point, 3), for messages between all pairs; or
                :func:`point_edges` of a list of points.
            mask: boolean (batch, point), True where there is a point. The output is zero elsewhere.
                Padded entries may hold anything.

        Raises:
            InputError: shapes that do not fit.
        """
        check_components(features, self.source, size=self.source_channels)
        if isinstance(points, PointEdges):
            carried = self._along_edges(features, points, mask)
        else:
            features = self._checked(features, points, mask)
            carried = self._between_all(features, points, mask)
        found: Tensor = self.mix(carried / sqrt(self.neighbours))
        if self.own is not None:
            found = (found + self.own(features)) / sqrt(2)
        return without_padding(found, mask)

    def weights(self, distances: Tensor) -> Tensor:
        """W before the cutoff, (*batch, path and copy), of distances (*batch)."""
        found: Tensor = self.last(functional.silu(self.first(self.radial(distances))))
        return found

    def _between_all(self, features: Tensor, positions: Tensor, mask: Tensor | None) -> Tensor:
        """What arrives from all pairs, (batch, point, path and copy)."""
        apart = ~torch.eye(positions.shape[1], dtype=torch.bool, device=positions.device)[None]
        if mask is not None:
            apart = apart & real_entries(mask, 2)[..., 0]
        between = positions[:, None] - positions[:, :, None]
        # What a point and itself, or padding, would do is not only cut off: it has no derivative.
        between = torch.where(apart[..., None], between, torch.ones_like(between))
        harmonics, weights = self._seen(between, apart.to(features.dtype))
        kinds: dict[int, Tensor] = {}
        messages = []
        for p, ((s, degree, _), (start, stop)) in enumerate(
            zip(self._paths, self._slices, strict=True)
        ):
            if s not in kinds:
                channels = getattr(self, f"_channels_{s}")
                chosen = features.index_select(-1, channels.flatten())
                kinds[s] = chosen.reshape(*features.shape[:-1], *channels.shape)[:, None]
            y = harmonics[..., degree**2 : (degree + 1) ** 2]
            turned = torch.einsum("bijm,kmc->bijkc", y, getattr(self, f"_product_{p}"))
            weighted = weights[..., start:stop, None] * kinds[s]
            messages.append(torch.einsum("bijnk,bijkc->binc", weighted, turned).flatten(-2))
        return torch.cat(messages, -1)

    def _along_edges(self, features: Tensor, edges: PointEdges, mask: Tensor | None) -> Tensor:
        """What arrives along edges, (point, path and copy)."""
        if features.ndim != 2 or mask is not None:
            raise InputError(
                "with edges, expected features (point, components) of a list of points and no "
                f"mask, got features {tuple(features.shape)}"
            )
        there = torch.ones_like(edges.between[:, 0], dtype=features.dtype)
        harmonics, weights = self._seen(edges.between, there)
        found: Tensor = self.along(features, edges.sender, edges.receiver, harmonics, weights)
        return found

    def _seen(self, between: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """Harmonics of directions (*pairs, 3), and the weights of paths and copies."""
        is_zero = (between == 0).all(-1, keepdim=True)
        # A length of zero has a derivative, but not a second one.
        lengths = torch.linalg.vector_norm(between.masked_fill(is_zero, 1), dim=-1)
        distances = lengths.masked_fill(is_zero[..., 0], 0).to(there.dtype)
        harmonics = spherical_harmonics(range(self.degree + 1), between, "component")
        reaches = smooth_cutoff(distances, self.radial.cutoff) * there
        return harmonics.to(there.dtype), self.weights(distances) * reaches[..., None]

    def _checked(self, features: Tensor, positions: Tensor, mask: Tensor | None) -> Tensor:
        """The features with zeros at padding."""
        if features.ndim != 3 or positions.shape != (*features.shape[:2], 3):
            raise InputError(
                "expected features (batch, point, components) and positions (batch, point, 3), got "
                f"{tuple(features.shape)} and {tuple(positions.shape)}"
            )
        check_sets(features, self.source_channels, 1, mask)
        return without_padding(features, mask)

    def extra_repr(self) -> str:
        """Shown by print."""
        return (
            f"{self.source.group.name}, {self.source.dimension} → {self.target.dimension}, "
            f"degree={self.degree}, {len(self._paths)} paths"
        )


def _harmonics(source: Representation, degree: int) -> list[Representation]:
    """The irreps of the harmonics of degree 0 … ``degree``."""
    if degree < 0:
        raise InputError(f"expected a degree l ≥ 0, got {degree}")
    if source.group == SpecialOrthogonalGroup(3):
        return [SO3Irrep(degree=k) for k in range(degree + 1)]
    if source.group == OrthogonalGroup(3):
        return [O3Irrep(degree=k, parity=(-1) ** k) for k in range(degree + 1)]
    raise InputError(
        "expected features of SO(3) or O(3), such as multiple(SO3Irrep(1), 8), got "
        f"{source.group.name}"
    )
