"""The Lie derivative of a model, layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.auditing.direction_frame import (
    DirectionFrame,
    directions_of,
)
from goldstone.auditing.infinitesimal_action import (
    AGREEMENT,
    Derivative,
)
from goldstone.auditing.layer_contributions import measure_layers
from goldstone.auditing.layer_plan import LayerPlan, Source
from goldstone.auditing.probed_model import Model, probed, trajectories_of
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import InputError, Statistic, trees
from goldstone.core.trees import Tree

_CONTEXT = Context()


@dataclass(frozen=True)
class LayerError:
    """What one layer adds to the Lie derivative of the model.

    With C_l = J_{l+1:} L_l, the layer's own Lie derivative pushed to the output:

    Attributes:
        name: of the module, or ``module: function``.
        source: whether the action on its output is declared, inferred, or that of the model's.
        contribution: E⟨C_l, L_X f⟩/dim(out), signed; these sum to the error of the model.
        error: E‖C_l‖²/dim(out); these do not sum, as contributions of layers may cancel.
        local: E‖L_l‖²/dim(l), before it is pushed on.
    """

    name: str
    source: Source
    contribution: Statistic
    error: Statistic
    local: Statistic


@dataclass(frozen=True)
class LieDerivativeByLayer:
    """The Lie derivative along one direction, decomposed.

    Attributes:
        symmetry: its name.
        direction: coordinates of X.
        error: E‖L_X f‖²/dim(out), measured end to end.
        layers: in the order of the first call.
        merged: nodes without a known action; their errors are in those of the next ones that have.
        chain_rule_error: |Σ_l C_l − L_X f| relative to the motions of which the latter is the
            difference (of signed contributions if probes were used): rounding, if all is well.
        probes: random reverse probes for ``error``; 0 for the exact mode.
    """

    symmetry: str
    direction: tuple[float, ...]
    error: Statistic
    layers: tuple[LayerError, ...]
    merged: tuple[str, ...]
    chain_rule_error: float
    probes: int


def lie_derivative_by_layer(
    model: Model,
    inputs: Tree,
    symmetry: Symmetry,
    direction: Sequence[float],
    *,
    probes: int = 8,
    exact: bool = False,
    infer: bool = True,
    trajectory: Tensor | None = None,
    context: Context = _CONTEXT,
    derivative: Derivative = "auto",
    batch: int = 8,
    replicates: int = 2000,
    seed: int = 0,
) -> LieDerivativeByLayer:
    """L_X f = Σ_l J_{l+1:} L_l with L_l = J_l (X·inputs of l) − X·(output of l).

    The layers are every module without children and every function of feature maps that the forward
    code of others calls, residual additions among them: the sum holds for any graph of
    operations. The action on a layer's output is that of ``symmetry.on_layers`` under its name, or
    inferred, where the output is a feature map on a grid; else the layer counts as part of the next
    one with an action.

    Signed contributions come from one reverse pass from the output vector L_X f, which serves all
    layers at once; ‖C_l‖² = E_v (vᵀC_l)² from ``probes`` more, v of random signs, one for each
    sample. ``exact`` takes a forward pass for each layer instead and is the oracle of both.

    Args:
        model: a module or a function with forward-mode derivatives.
        inputs: n samples: a tensor, sample axis first, or a tree of tensors; integers do not move.
        symmetry: its group is a Lie group.
        direction: coordinates of X in the Lie algebra.
        probes: number of random reverse probes, 1 or more.
        exact: a forward pass for each layer.
        infer: infer actions on feature maps that have none declared.
        trajectory: (n,) which trajectory each sample comes from, the unit of the bootstrap.
        context: the frame of the inputs; outputs lie one model step later.
        derivative: how actions are differentiated.
        batch: samples evaluated together; all feature maps of a batch are kept.
        replicates: of the bootstrap.
        seed: of the probes and the bootstrap.

    Raises:
        InputError: as :func:`goldstone.auditing.lie_derivative`; the model has no forward-mode
            derivative, or one that disagrees with finite differences; a declared layer does not
            exist; or no probes are asked for.

    References:
        Gruver et al. (2023), The Lie derivative for measuring learned equivariance, ICLR, eq. 7;
        here with functions that are no modules, such as residual additions.
    """
    (chosen,) = directions_of(symmetry, [direction])
    if probes < 1 and not exact:
        raise InputError(f"expected one or more probes, got {probes}; or exact=True")
    n = trees.batch_size(inputs)
    with probed(model, inputs) as module:
        of = trajectories_of(trajectory, n)
        bootstrap = Bootstrap.draw(int(of.max()) + 1, replicates, seed)
        frame = DirectionFrame.choose(
            module, inputs, symmetry, chosen, context, derivative, "forward-mode"
        )
        if frame.pushes.disagreement > AGREEMENT + 10 * frame.pushes.step_error:
            raise InputError(
                "the model's forward-mode derivative differs from finite differences by "
                f"{frame.pushes.disagreement:.1e}: it detaches tensors or leaves torch on the way; "
                "use lie_derivative, end to end"
            )
        plan = LayerPlan.make(module, inputs, symmetry, frame, infer, derivative)
        parts, start = [], 0
        for chunk in trees.chunks(inputs, batch):
            parts.append(measure_layers(plan, module, chunk, start, 0 if exact else probes, seed))
            start += trees.batch_size(chunk)

    def mean(values: Tensor) -> Statistic:
        return mean_statistic(values, of, bootstrap)[0]

    signed, squares, local = (
        torch.cat([getattr(part, name) for part in parts], 1)
        for name in ("signed", "squares", "local")
    )
    gap = sum(float(part.gap) for part in parts)
    motion = sum(float(part.motion) for part in parts)
    total = torch.cat([part.total for part in parts])
    size = float(total.sum()) ** 0.5
    # Probes see the gap along L_X f; the exact mode all of it.
    short = gap**0.5 if exact else abs(float((signed.sum(0) - total).sum())) / (size or 1.0)
    rounding = 1e4 * torch.finfo(parts[0].dtype).eps * motion**0.5
    if short > AGREEMENT * size + rounding:
        raise InputError(
            f"the layers' contributions miss {short / size:.1%} of the model's Lie derivative: a "
            "part of the model has no gradient (torch.no_grad, detach) or differs from call to "
            "call; use exact=True, or lie_derivative, end to end"
        )
    return LieDerivativeByLayer(
        symmetry=symmetry.name,
        direction=chosen,
        error=mean(total / parts[0].outputs),
        layers=tuple(
            LayerError(
                name,
                plan.sources[name],
                mean(signed[i] / parts[0].outputs),
                mean(squares[i] / parts[0].outputs),
                mean(local[i]),
            )
            for i, name in enumerate(plan.sources)
        ),
        merged=plan.merged,
        chain_rule_error=short / motion**0.5 if motion > 0 else 0.0,
        probes=0 if exact else probes,
    )
