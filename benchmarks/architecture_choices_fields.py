"""Networks from fields to fields: pivots, down- and upsampling, norms, spectral layers."""

from collections.abc import Callable
from dataclasses import replace

from architecture_choices_images import smooth_images
from architecture_choices_layers import (
    Bilinear,
    Blur,
    ChannelNorm,
    Convolution,
    EverySecond,
    MaxPool,
    Repeat,
    Spectral,
    Table,
    WithCoordinates,
    ZerosBetween,
)
from architecture_choices_study import Row, Study, made
from torch import Tensor, nn

from goldstone import Symmetry
from goldstone.actions import Field, FieldLayout, PointAction, image_symmetry
from goldstone.groups import DihedralGroup

SIZE, WIDTH = 16, 6
SCALARS = FieldLayout((Field("first", "scalar"), Field("second", "scalar")))


class Network(nn.Module):
    """Convolution, GELU, a step, convolution; from two scalars to two scalars."""

    def __init__(
        self,
        step: Callable[[], nn.Module] = nn.Identity,
        *,
        isotropic: bool = True,
        stem: Callable[[], nn.Module] | None = None,
        kernel: int = 3,
        padding: str = "circular",
    ) -> None:
        super().__init__()
        options = {"isotropic": isotropic, "kernel": kernel, "padding": padding}
        self.stem = None if stem is None else stem()
        self.first = Convolution((2 if stem is None else 4, WIDTH), **options)
        self.step = step()
        self.last = Convolution((WIDTH, 2), **options)

    def forward(self, x: Tensor) -> Tensor:
        x = x if self.stem is None else self.stem(x)
        return self.last(self.step(nn.functional.gelu(self.first(x))))


class Pointwise(nn.Module):
    """Matrices at each point, with a nonlinearity or without."""

    def __init__(self, *, linear: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, WIDTH, 1, bias=not linear)
        self.last = nn.Conv2d(WIDTH, 2, 1, bias=not linear)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.last(x if self.linear else nn.functional.gelu(x))


class Fourier(nn.Module):
    """A Fourier layer with its pointwise bypass between pointwise maps."""

    def __init__(self, *, coordinates: bool = False, linear: bool = False) -> None:
        super().__init__()
        self.grid = WithCoordinates() if coordinates else nn.Identity()
        self.lift = nn.Conv2d(4 if coordinates else 2, WIDTH, 1)
        self.spectral, self.bypass = Spectral(WIDTH, 4), nn.Conv2d(WIDTH, WIDTH, 1)
        self.project = nn.Conv2d(WIDTH, 2, 1)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        x = self.lift(self.grid(x))
        x = self.spectral(x) + self.bypass(x)
        return self.project(x if self.linear else nn.functional.gelu(x))


def _through(*layers: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*(layer() for layer in layers))


def resampling_rows() -> tuple[Row, ...]:
    """Pivots: what lies where after a step down and up."""

    def row(name: str, expected: str, why: str, *layers: Callable[[], nn.Module], **options):
        return Row(name, made(Network, _through(*layers), **options), expected, why)

    def pool() -> nn.Module:
        return nn.AvgPool2d(2)

    def transposed(kernel: int, padding: int) -> Callable[[], nn.Module]:
        return lambda: nn.ConvTranspose2d(
            WIDTH, WIDTH, kernel, 2, padding=padding, output_padding=padding
        )

    return (
        row("kernel 3", "EEBBBB", "whole shifts alone", isotropic=False),
        row("kernel 3, D4-averaged", "EEBEEE", "odd kernels turn about every point"),
        row("kernel 2, D4-averaged", "EEBBBB", "the output lies half a cell away", kernel=2),
        row("D4-averaged, zero padding", "BBBEBE", "the square turns about its centre alone",
            padding="zeros"),
        row("average pool 2, repeat", "BEBEBE", "pairs stay pairs about a cell", pool, Repeat),
        row("max pool 2, repeat", "BEBEBE", "the same", lambda: MaxPool(2, 2), Repeat),
        row("every second, zeros between", "BEBBEB", "even points stay even about a node",
            EverySecond, ZerosBetween),
        row("every second, repeat", "BEBBBB", "down about nodes, up about cells",
            EverySecond, Repeat),
        row("max pool 3, stride 2, zeros between", "BEBBEB", "odd windows about even points",
            lambda: MaxPool(3, 2), ZerosBetween),
        row("blur 1 2 1, zeros between", "BEBBEB", "odd filters about even points",
            lambda: Blur((1, 2, 1)), ZerosBetween),
        row("blur 1 3 3 1, repeat", "BEBEBE", "even filters about pairs",
            lambda: Blur((1, 3, 3, 1)), Repeat),
        row("average pool 2, bilinear", "BBBEBE", "the interpolation repeats the border",
            pool, lambda: Bilinear(circular=False)),
        row("average pool 2, circular bilinear", "BEBEBE", "now it goes round",
            pool, lambda: Bilinear(circular=True)),
        row("average pool 2, transposed 2", "BEBBBB", "four free weights for four points",
            pool, transposed(2, 0)),
        row("average pool 2, transposed 3", "BBBBBB", "it pads with zeros",
            pool, transposed(3, 1)),
    )  # fmt: skip


def other_rows() -> tuple[Row, ...]:
    """Norms, positions, spectral and pointwise layers."""

    def row(name: str, expected: str, why: str, step: Callable[[], nn.Module], **options):
        return Row(name, made(Network, step, **options), expected, why)

    return (
        row("batch norm (evaluation)", "EEBEEE", "a number for each channel",
            lambda: nn.BatchNorm2d(WIDTH)),
        row("instance norm", "EEBEEE", "moments do not see places",
            lambda: nn.InstanceNorm2d(WIDTH, affine=True)),
        row("group norm", "EEBEEE", "the same", lambda: nn.GroupNorm(2, WIDTH)),
        row("layer norm over channels", "EEBEEE", "acts at each point alone",
            lambda: ChannelNorm(WIDTH)),
        row("layer norm over (C, X, Y)", "SSBSSS", "trainable weights for every place, 1 at first",
            lambda: nn.LayerNorm((WIDTH, SIZE, SIZE))),
        row("the same, not affine", "EEBEEE", "no weights, no places",
            lambda: nn.LayerNorm((WIDTH, SIZE, SIZE), elementwise_affine=False)),
        row("positions from zero", "SSBSSS", "exact until they are trained",
            lambda: Table(WIDTH, SIZE, SIZE, size=0.0)),
        row("learned positions", "BBBBBB", "a vector for every place",
            lambda: Table(WIDTH, SIZE, SIZE, size=0.2)),
        row("coordinates appended", "BBBBBB", "they say the place", nn.Identity,
            stem=WithCoordinates),
        Row("Fourier layer", made(Fourier), "EEBBBB",
            "a nonlinearity on a grid folds high waves back: shifts by parts of a cell break"),
        Row("linear Fourier layer", made(Fourier, linear=True), "EEEBBB",
            "modes keep their phases, so any shift passes"),
        Row("Fourier layer with coordinates", made(Fourier, coordinates=True), "BBBBBB",
            "the default of many implementations gives the shifts away"),
        Row("pointwise matrices and GELU", made(Pointwise, linear=False), "EEBEEE",
            "moves whole cells only, turned or not"),
        Row("pointwise matrices", made(Pointwise, linear=True), "EEEEEE",
            "linear resampling and matrices at each point commute"),
    )  # fmt: skip


def study() -> Study:
    """Shifts, and turns about a cell and about a node, of scalar fields."""
    size, d4 = (SIZE, SIZE), DihedralGroup(4)
    shifts = image_symmetry("shifts", size, 2, output="same", mode="fourier", boundary="periodic")
    turns = image_symmetry("turns-and-flips", size, 2, output="same")
    about_node = PointAction(d4, SCALARS, "node")
    return Study(
        "Fields to fields",
        f"Two scalars on a ring of {SIZE}². Convolution of {WIDTH} channels, GELU, the choice, "
        "convolution; kernels averaged over D4 (the symmetric part of each), so that what breaks "
        "a turn is the choice.",
        smooth_images(),
        (
            replace(shifts, elements=((1.0, 0.0), (2.0, 0.0), (0.5, 0.0))),
            replace(turns, name="about a cell", elements=((0, 1),)),
            Symmetry("about a node", d4, about_node, about_node, elements=((0, 1),)),
            replace(turns, name="mirror", elements=((1, 0),)),
        ),
        ("shift 1", "shift 2", "shift ½", "turn (cell)", "turn (node)", "mirror (cell)"),
        resampling_rows() + other_rows(),
    )
