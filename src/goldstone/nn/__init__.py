"""Floor 4: layers that are equivariant by construction."""

from goldstone.nn.kernel_basis import kernel_basis
from goldstone.nn.padding import circular_pad
from goldstone.nn.steerable_convolution import SteerableConv2d

__all__ = ["SteerableConv2d", "circular_pad", "kernel_basis"]
