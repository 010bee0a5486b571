"""Layers that commute with local gauge transformations of a lattice."""

from goldstone.nn.gauge.activation import GaugeActivation
from goldstone.nn.gauge.bilinear import GaugeBilinear
from goldstone.nn.gauge.convolution import GaugeConv
from goldstone.nn.gauge.loops import Plaquettes, plaquettes, wilson_loops
from goldstone.nn.gauge.trace import GaugeTrace

__all__ = [
    "GaugeActivation",
    "GaugeBilinear",
    "GaugeConv",
    "GaugeTrace",
    "Plaquettes",
    "plaquettes",
    "wilson_loops",
]
