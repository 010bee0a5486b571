"""Layers that commute with local gauge transformations of a lattice."""

from goldstone.nn.gauge.activation import GaugeActivation
from goldstone.nn.gauge.bilinear import GaugeBilinear
from goldstone.nn.gauge.convolution import GaugeConv
from goldstone.nn.gauge.link_update import GaugeLinkUpdate
from goldstone.nn.gauge.loops import Plaquettes, plaquettes, polyakov_loops, wilson_loops
from goldstone.nn.gauge.trace import GaugeTrace

__all__ = [
    "GaugeActivation",
    "GaugeBilinear",
    "GaugeConv",
    "GaugeLinkUpdate",
    "GaugeTrace",
    "Plaquettes",
    "plaquettes",
    "polyakov_loops",
    "wilson_loops",
]
