"""An emulator: a network between normalisers that predicts the state one step later."""

from torch import Tensor, nn

from goldstone.actions import FieldLayout
from goldstone.core import InputError, check_grid_fields
from goldstone.systems.emulators.normaliser import Normaliser


class Emulator(nn.Module):
    """``f(x) = x + increment.denormalise(network(state.normalise(x)))``.

    The two normalisers are buffers of the module, so they travel with its weights. Both commute
    with the point group: the emulator is equivariant wherever its network is.

    Args:
        layout: the fields of the channels.
        network: maps (batch, channel, X, Y) to the same shape.
        state: normaliser of the states; None for the identity, until :meth:`fit`.
        increment: normaliser of the change over one step; likewise.
    """

    def __init__(
        self,
        layout: FieldLayout,
        network: nn.Module,
        state: Normaliser | None = None,
        increment: Normaliser | None = None,
    ) -> None:
        super().__init__()
        self.layout = layout
        self.state = Normaliser(layout) if state is None else state
        self.increment = Normaliser(layout) if increment is None else increment
        self.network = network

    def fit(self, inputs: Tensor, targets: Tensor) -> None:
        """Set the normalisers from states and the states one step later, both (batch, C, X, Y).

        Raises:
            InputError: the shapes differ or do not fit the layout, or values are not finite.
        """
        if inputs.shape != targets.shape:
            raise InputError(
                f"expected inputs and targets of one shape, got {tuple(inputs.shape)} and "
                f"{tuple(targets.shape)}"
            )
        self.state = Normaliser.fit(self.layout, inputs)
        self.increment = Normaliser.fit(self.layout, targets - inputs)

    def forward(self, x: Tensor) -> Tensor:
        """The state one step after ``x`` (batch, channel, X, Y), in physical units."""
        check_grid_fields(x, self.layout.channels, "emulator input")
        change: Tensor = self.network(self.state.normalise(x))
        return x + self.increment.denormalise(change)
