"""The Lie derivative of a model: how much it breaks a continuous symmetry, to first order."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.auditing.direction_frame import DirectionFrame, directions_of
from goldstone.auditing.directional_derivative import Way
from goldstone.auditing.infinitesimal_action import (
    Derivative,
)
from goldstone.auditing.probed_model import Model, probed, trajectories_of
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import Statistic, trees
from goldstone.core.trees import Tree

_CONTEXT = Context()


@dataclass(frozen=True)
class DirectionError:
    """The Lie derivative along one direction of the Lie algebra.

    Attributes:
        coordinates: of X in the basis of the Lie algebra.
        error: LEE, E‖L_X f‖²/dim(out), in squared units of the output per squared unit of X.
        samples: ‖L_X f(x)‖²/dim(out) of each sample.
        relative: E[‖L_X f(x)‖/‖f(x)‖].
        relative_to_motion: E[‖L_X f‖/√(‖J_f X·x‖² + ‖X·f(x)‖²)], which knows no units: 0 for an
            equivariant model, √2 at most; 1 if only one of input and output moves f.
        way: how the model was differentiated.
        model_disagreement: that way against finite differences of the model (relative).
        model_step_error: relative error of those differences, as they estimate it.
        input_method, output_method: how the actions were differentiated.
        input_disagreement, output_disagreement: forward mode against finite differences of the
            action; large where a resampling has a kink at the identity. None: it failed.
        action_step_error: relative error of the latter differences, the larger of the two.
    """

    coordinates: tuple[float, ...]
    error: Statistic
    samples: tuple[float, ...]
    relative: Statistic
    relative_to_motion: Statistic
    way: str
    model_disagreement: float
    model_step_error: float
    input_method: str
    output_method: str
    input_disagreement: float | None
    output_disagreement: float | None
    action_step_error: float


@dataclass(frozen=True)
class LieDerivative:
    """Lie derivatives of a model along directions of a Lie algebra.

    Attributes:
        symmetry: its name.
        samples: how many were measured.
        outputs: numbers in one output, dim(out).
        directions: the results, in the order of the directions.
    """

    symmetry: str
    samples: int
    outputs: int
    directions: tuple[DirectionError, ...]


def lie_derivative(
    model: Model,
    inputs: Tree,
    symmetry: Symmetry,
    directions: Sequence[Sequence[float]] | None = None,
    *,
    trajectory: Tensor | None = None,
    context: Context = _CONTEXT,
    derivative: Derivative = "auto",
    way: Way | None = None,
    batch: int = 16,
    replicates: int = 2000,
    seed: int = 0,
) -> LieDerivative:
    """L_X f(x) = d/dt|₀ ρ_out(exp(−tX)) f(ρ_in(exp(tX)) x) = J_f(x) X·x − X·f(x), and its size.

    It vanishes for all X if and only if f is equivariant under the identity component of the group.
    Exact up to rounding where model and actions have forward-mode derivatives; what was done
    instead is in the result. For resampled images it is that of the resampled action: choose a
    smooth resampling, ``spline`` or, on periodic grids, ``fourier``; with ``bilinear`` give
    ``derivative="forward-mode"``, for comparison with published numbers only.

    Args:
        model: a module or a function of the inputs.
        inputs: n samples: a tensor, sample axis first, or a tree of tensors; integers do not move.
        symmetry: its group is a Lie group; any batch size, device and number of outputs.
        directions: coordinates in the Lie algebra; None for its basis.
        trajectory: (n,) which trajectory each sample comes from, the unit of the bootstrap.
        context: the frame of the inputs; outputs lie one model step later.
        derivative: how actions are differentiated.
        way: how the model is differentiated; None for the first that works and agrees with finite
            differences.
        batch: samples evaluated together.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        InputError: the group is not a Lie group, a direction is of another dimension, the model is
            refused (see :func:`goldstone.auditing.probed_model.probed`), or inputs have no numbers
            that could move.

    References:
        Gruver, Finzi, Goldblum and Wilson (2023), The Lie derivative for measuring learned
        equivariance, ICLR, eqs. 2–5.
    """
    chosen = directions_of(symmetry, directions)
    n = trees.batch_size(inputs)
    results, outputs = [], 0
    with probed(model, inputs) as module:
        of = trajectories_of(trajectory, n)
        bootstrap = Bootstrap.draw(int(of.max()) + 1, replicates, seed)

        def mean_of(values: Tensor) -> Statistic:
            return mean_statistic(values, of, bootstrap)[0]

        for direction in chosen:
            frame = DirectionFrame.choose(
                module, inputs, symmetry, direction, context, derivative, way
            )
            squares: list[Tensor] = []
            for chunk in trees.chunks(inputs, batch):
                part = frame.measure(module, chunk)
                outputs = part.derivative.shape[1]
                squares.append(part.squares())
            lie, pushed, moved, output = torch.cat(squares).T
            results.append(
                DirectionError(
                    coordinates=direction,
                    error=mean_of(lie / outputs),
                    samples=tuple((lie / outputs).tolist()),
                    relative=mean_of((lie / output).sqrt()),
                    # A model that nothing moves is equivariant: 0, not 0/0.
                    relative_to_motion=mean_of(
                        (lie / (pushed + moved).clamp_min(torch.finfo(lie.dtype).tiny)).sqrt()
                    ),
                    way=frame.pushes.way,
                    model_disagreement=frame.pushes.disagreement,
                    model_step_error=frame.pushes.step_error,
                    input_method=frame.on_input.method,
                    output_method=frame.on_output.method,
                    input_disagreement=frame.on_input.disagreement,
                    output_disagreement=frame.on_output.disagreement,
                    action_step_error=max(frame.on_input.step_error, frame.on_output.step_error),
                )
            )
    return LieDerivative(symmetry.name, n, outputs, tuple(results))


def lie_derivative_vectors(
    model: Model,
    inputs: Tree,
    symmetry: Symmetry,
    direction: Sequence[float],
    *,
    context: Context = _CONTEXT,
    derivative: Derivative = "auto",
    way: Way | None = None,
) -> Tensor:
    """L_X f(x) itself, (n, outputs), complex outputs as pairs; see :func:`lie_derivative`."""
    (chosen,) = directions_of(symmetry, [direction])
    with probed(model, inputs) as module:
        frame = DirectionFrame.choose(module, inputs, symmetry, chosen, context, derivative, way)
        return frame.measure(module, inputs).derivative
