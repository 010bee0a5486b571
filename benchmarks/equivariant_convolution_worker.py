"""One library's convolutional networks, for equivariant_convolution.py.

``python equivariant_convolution_worker.py goldstone|escnn`` imports nothing else of this
repository but its neighbour, so that it runs in the other library's environment. A network is
described by

- ``field``: "plane" or "space" for fields on a finite group, "irreps" for those of SO(3) with
  l ≤ 2, as many of each;
- ``group``: the group's name, or None for the plain network of the same channels;
- ``widths``: of each layer its channels, or, of irreps, copies of each;
- ``size``: taps of a kernel along an axis; ``shape``: of the input (batch, channel, *grid);
- ``strides``: of each layer, and then batch norms too.
"""

import math
import sys
from itertools import pairwise

import torch
from side_by_side_worker import Case, serve
from torch import nn
from torch.nn import functional

DEGREES = 3
COMPONENTS = sum(2 * degree + 1 for degree in range(DEGREES))
GATES = DEGREES - 1
NUMBERS = {"O": 24}


def order_of(group):
    if group in NUMBERS:
        return NUMBERS[group]
    return int(group[1:]) * (2 if group[0] == "D" else 1)


class PlainGate(nn.Module):
    """An activation that leaves out the channels which others take for gates."""

    def __init__(self, kept):
        super().__init__()
        self.kept = kept

    def forward(self, x):
        return functional.silu(x[:, : self.kept])


def plain(field, widths, size, strides):
    axes = 2 if field == "plane" else 3
    convolution = (nn.Conv2d, nn.Conv3d)[axes - 2]
    norm = (nn.BatchNorm2d, nn.BatchNorm3d)[axes - 2]
    layers, width = [], 1
    for k, copies in enumerate(widths):
        gated = field == "irreps"
        stride = strides[k] if strides else 1
        out = copies * (COMPONENTS + GATES) if gated else copies
        layers.append(convolution(width, out, size, stride, padding=size // 2))
        if strides:
            layers.append(norm(out))
        width = copies * COMPONENTS if gated else out
        layers.append(PlainGate(width) if gated else nn.ReLU())
    return nn.Sequential(*layers)


class OfGoldstone:
    """Networks of goldstone."""

    def __init__(self):
        import goldstone.nn

        self.nn = goldstone.nn

    def network(self, field, group, widths, size, strides):
        if field == "irreps":
            return self.gated(widths, size)
        from goldstone.groups import group_named

        group, options = group_named(group), {"padding_mode": "zeros", "padding": size // 2}
        axes = 2 if field == "plane" else 3
        lift = (self.nn.LiftingConv2d, self.nn.LiftingConv3d)[axes - 2]
        convolution = (self.nn.GroupConv2d, self.nn.GroupConv3d)[axes - 2]
        layers = []
        fields = [1, *(width // group.order for width in widths)]
        for k, (a, b) in enumerate(pairwise(fields)):
            stride = strides[k] if strides else 1
            layers.append((convolution if k else lift)(group, a, b, size, stride, **options))
            if strides:
                layers.append(self.nn.OrbitBatchNorm2d(layers[-1].target))
            layers.append(nn.ReLU())
        return nn.Sequential(*layers)

    def gated(self, widths, size):
        from goldstone.groups import SpecialOrthogonalGroup
        from goldstone.representations import DirectSum, SO3Irrep

        layers, source = [], SO3Irrep(0)
        for copies in widths:
            parts = [SO3Irrep(degree) for degree in range(DEGREES) for _ in range(copies)]
            target = DirectSum(SpecialOrthogonalGroup(3), parts)
            gate = self.nn.GatedActivation(target, axis=1)
            options = {"padding_mode": "zeros"}
            layers += [self.nn.SteerableConv3d(source, gate.source, size, **options), gate]
            source = target
        return nn.Sequential(*layers)

    def case(self, **description):
        network = self.network(**description)
        return network, {"fold": self.nn.to_plain}

    def filters(self, field, group, size):
        """The lifting layer's filters of the first pose, and the dimension of a pair of fields."""
        from goldstone.groups import group_named

        group = group_named(group)
        axes = 2 if field == "plane" else 3
        lift = (self.nn.LiftingConv2d, self.nn.LiftingConv3d)[axes - 2](group, 1, 1, size)
        pair = (self.nn.GroupConv2d, self.nn.GroupConv3d)[axes - 2](group, 1, 1, size)
        return lift.bases[0].dense()[:, 0, 0].flatten(1), pair.map_dimension

    def irreps(self, size):
        from goldstone.representations import SO3Irrep

        return [
            [
                self.nn.SteerableConv3d(SO3Irrep(a), SO3Irrep(b), size).map_dimension
                for b in range(3)
            ]
            for a in range(3)
        ]


class OfEscnn:
    """Networks of escnn."""

    def __init__(self):
        from escnn import gspaces
        from escnn import nn as enn

        self.spaces, self.nn = gspaces, enn

    def space(self, group):
        if group == "O":
            return self.spaces.octaOnR3()
        n = int(group[1:])
        return self.spaces.rot2dOnR2(n) if group[0] == "C" else self.spaces.flipRot2dOnR2(n)

    def convolution(self, field):
        return self.nn.R2Conv if field == "plane" else self.nn.R3Conv

    def network(self, field, group, widths, size, strides):
        if field == "irreps":
            return self.gated(widths, size)
        space, convolution = self.space(group), self.convolution(field)
        regular = space.regular_repr
        types = [self.nn.FieldType(space, [space.trivial_repr])]
        types += [self.nn.FieldType(space, width // regular.size * [regular]) for width in widths]
        layers = []
        for k, (a, b) in enumerate(pairwise(types)):
            stride = strides[k] if strides else 1
            layers.append(convolution(a, b, size, padding=size // 2, stride=stride))
            if strides:
                layers.append(self.nn.InnerBatchNorm(b))
            layers.append(self.nn.ReLU(b))
        return self.nn.SequentialModule(*layers)

    def gated(self, widths, size):
        space = self.spaces.rot3dOnR3()
        of = [space.irrep(degree) for degree in range(DEGREES)]
        source, layers = self.nn.FieldType(space, [of[0]]), []
        for n in widths:
            scalars = self.nn.FieldType(space, n * of[:1])
            rest = [of[0]] * n * GATES + [r for r in of[1:] for _ in range(n)]
            gated = self.nn.FieldType(space, rest)
            both = scalars + gated
            labels = ["scalar"] * n + ["gated"] * len(rest)
            activations = [
                (self.nn.ELU(scalars), "scalar"),
                (self.nn.GatedNonLinearity1(gated), "gated"),
            ]
            layers.append(self.nn.R3Conv(source, both, size, padding=size // 2))
            layers.append(self.nn.MultipleModule(both, labels, activations))
            source = layers[-1].out_type
        return self.nn.SequentialModule(*layers)

    def case(self, **description):
        network = self.network(**description)
        # Gates cannot be exported; there eval mode holds the expanded filters.
        fold = None if description["field"] == "irreps" else lambda copied: copied.export()
        return FromTensor(self.nn, network), {"fold": fold, "foldable": network}

    def filters(self, field, group, size):
        space, convolution = self.space(group), self.convolution(field)
        scalar = self.nn.FieldType(space, [space.trivial_repr])
        regular = self.nn.FieldType(space, [space.regular_repr])
        lift = convolution(scalar, regular, size)
        unit = torch.eye(lift.weights.numel())
        rows = torch.stack([lift.basisexpansion(row)[0, 0] for row in unit])
        return rows.flatten(1), convolution(regular, regular, size).weights.numel()

    def irreps(self, size):
        space = self.spaces.rot3dOnR3()
        types = [self.nn.FieldType(space, [space.irrep(degree)]) for degree in range(DEGREES)]
        return [[self.count(a, b, size) for b in types] for a in types]

    def count(self, a, b, size):
        return self.nn.R3Conv(a, b, size, bias=False).weights.numel()


class FromTensor(nn.Module):
    """An escnn network on plain tensors."""

    def __init__(self, library, network):
        super().__init__()
        self.network, self.wrap = network, library.GeometricTensor

    def forward(self, x):
        return self.network(self.wrap(x, self.network.in_type)).tensor


def blobs(matrix, axes, seed, side):
    """Images (8, 1, *grid) of Gaussian blobs, turned by a matrix about the centre."""
    source = torch.Generator().manual_seed(seed)
    shape = (8, 6, axes)
    centres = (torch.rand(shape, generator=source) - 0.5) * side / 3 @ matrix.T
    signs, widths = (torch.rand(shape[:2], generator=source) for _ in range(2))
    axis = torch.arange(side) - (side - 1) / 2
    points = torch.stack(torch.meshgrid(*[axis] * axes, indexing="ij"), -1).reshape(-1, axes)
    squares = (points[None, :, None] - centres[:, None]).square().sum(-1)
    images = ((signs - 0.3)[:, None] * (-squares / 2 / (1.5 + widths[:, None]) ** 2).exp()).sum(-1)
    return images.reshape(8, 1, *[side] * axes)


def turn(axes, angle):
    """The rotation by an angle, in space about a general axis."""
    c, s = math.cos(angle), math.sin(angle)
    if axes == 2:
        return torch.tensor([[c, -s], [s, c]])
    x = torch.tensor([1.0, 2.0, 3.0])
    x = x / x.norm()
    cross = torch.tensor([[0, -x[2], x[1]], [x[2], 0, -x[0]], [-x[1], x[0], 0]])
    return c * torch.eye(3) + s * cross + (1 - c) * torch.outer(x, x)


def errors(network, field, group, side=25):
    """How far turned images change the invariants of a network, in the spread over images."""
    axes = 2 if field == "plane" else 3

    def invariants(matrix):
        y = network(blobs(matrix, axes, 0, side))
        if field == "irreps":
            n = y.shape[1] // COMPONENTS
            parts = y.split([n * (2 * degree + 1) for degree in range(DEGREES)], 1)
            y = torch.cat([p.unflatten(1, (n, -1)).square().sum(2) for p in parts], 1)
        else:
            y = y.unflatten(1, (-1, order_of(group))).amax(2)
        return y.flatten(2).mean(2)

    network.eval()
    one = invariants(torch.eye(axes))
    spread = (one - one.mean(0)).norm()
    quarter = torch.eye(axes)
    quarter[:2, :2] = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    found = {"quarter turn": float((invariants(quarter) - one).norm() / spread)}
    if field != "space":
        angle = 2 * math.pi / int(group[1:]) if field == "plane" else 1.0
        found["turn"] = float((invariants(turn(axes, angle)) - one).norm() / spread)
    return found


def main():
    library = {"goldstone": OfGoldstone, "escnn": OfEscnn}[sys.argv[1]]()

    def make(field, group, widths, size, shape=None, strides=None):
        options = {}
        if group is None:
            network = plain(field, widths, size, strides)
        else:
            network, options = library.case(
                field=field, group=group, widths=widths, size=size, strides=strides
            )
        return Case(
            network,
            lambda: (torch.randn(shape or (1, 1), generator=torch.Generator().manual_seed(0)),),
            error=lambda: errors(network, field, group),
            **options,
        )

    def filters(field, group, size):
        if field == "irreps":
            return {"pairs": library.irreps(size)}
        with torch.no_grad():
            rows, dimension = library.filters(field, group, size)
        return {"pair": dimension, "filters": rows.double().tolist()}

    serve(make, filters=filters)


if __name__ == "__main__":
    main()
