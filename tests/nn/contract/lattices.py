"""Layers of lattice gauge fields."""

from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Action, GaugeAction, Symmetry, TreeAction, TrivialAction
from goldstone.groups import GaugeGroup, SpecialUnitaryGroup
from goldstone.nn.gauge import (
    GaugeActivation,
    GaugeBilinear,
    GaugeConv,
    GaugeLinkUpdate,
    GaugeTrace,
    Plaquettes,
)
from tests.nn.contract.entry import Case, Entry, Inputs, one_more, unbatched

LATTICE = (4, 3)
SU2 = SpecialUnitaryGroup(2)
GAUGE = GaugeGroup(SU2, LATTICE)
MOVES = {kind: GaugeAction(GAUGE, kind) for kind in ("links", "loops")} | {
    "invariant": TrivialAction()
}


def unitary(batch: int, channels: int, seed: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return SU2.sample(source, (batch, channels, *LATTICE))


def gauge(
    make: Any, inputs: tuple[str, ...], output: str, channels: int = 3, **options: Any
) -> Case:
    moves: Action = MOVES[inputs[0]] if len(inputs) == 1 else TreeAction([MOVES[k] for k in inputs])
    elements = GAUGE.values(GAUGE.sample(torch.Generator().manual_seed(0), (3,)))

    def fields(batch: int) -> Inputs:
        return tuple(
            unitary(batch, 2 if kind == "links" else channels, k) for k, kind in enumerate(inputs)
        )

    return Case(
        make, fields, Symmetry("gauge", GAUGE, moves, MOVES[output], elements=elements), **options
    )


GROUPS = "U(1), SU(2), SU(3) and other unitary groups, another element at every site"
COMPLEX = {
    "half": "loops are complex, and complex numbers have no half precision",
    "onnx": "loops are complex, and the exporter to ONNX has no complex numbers",
}

ENTRIES = (
    Entry(
        GaugeConv,
        GROUPS,
        "links (batch, axis, *lattice, n, n), loops (batch, in, *lattice, n, n) → (batch, out, "
        "*lattice, n, n)",
        {
            "SU(2)": gauge(
                lambda **given: GaugeConv(2, 3, 2, **given),
                ("links", "loops"),
                "loops",
                wrong=(one_more(1, 1), one_more(1), one_more(-1, 1), unbatched),
            )
        },
        unable=COMPLEX,
    ),
    Entry(
        GaugeLinkUpdate,
        GROUPS,
        "links (batch, axis, *lattice, n, n), loops (batch, channel, *lattice, n, n) → links",
        {
            "SU(2)": gauge(
                lambda **given: GaugeLinkUpdate(2, 3, **given),
                ("links", "loops"),
                "links",
                wrong=(one_more(1, 1), one_more(1), one_more(-1, 1), unbatched),
            )
        },
        unable=COMPLEX,
    ),
    Entry(
        GaugeBilinear,
        GROUPS,
        "loops (batch, a or b, *lattice, n, n), two of them → (batch, out, *lattice, n, n)",
        {
            "SU(2)": gauge(
                lambda **given: GaugeBilinear(3, 3, 2, **given),
                ("loops", "loops"),
                "loops",
                wrong=(one_more(1, 1), one_more(1), unbatched),
            )
        },
        unable=COMPLEX,
    ),
    Entry(
        GaugeActivation,
        GROUPS,
        "loops (batch, channel, *lattice, n, n) → the same",
        {
            "SU(2)": gauge(
                lambda **given: GaugeActivation(3, **given),
                ("loops",),
                "loops",
                wrong=(one_more(1), unbatched),
                power=None,
            )
        },
        unable=COMPLEX,
    ),
    Entry(
        GaugeTrace,
        GROUPS,
        "loops (batch, channel, *lattice, n, n) → (batch, 2·channel, *lattice), real",
        {
            "SU(2)": gauge(
                lambda **_: GaugeTrace(), ("loops",), "invariant", power=None, wrong=(one_more(-1),)
            )
        },
        unable=COMPLEX,
    ),
    Entry(
        Plaquettes,
        GROUPS,
        "links (batch, axis, *lattice, n, n) → loops (batch, pair of axes, *lattice, n, n)",
        {
            "SU(2)": gauge(
                lambda **_: Plaquettes(),
                ("links",),
                "loops",
                power=None,
                wrong=(one_more(1), unbatched),
            )
        },
        unable=COMPLEX,
    ),
)
