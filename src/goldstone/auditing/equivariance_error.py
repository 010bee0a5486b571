"""Where a model differs from an equivariant one: by element, sample, channel, scale and layer."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.auditing.captured_layers import LayerSource, captured, layer_actions_of
from goldstone.auditing.element_choice import choose_elements
from goldstone.auditing.error_parts import by_band, by_channel, wavenumber_bands
from goldstone.auditing.fitted_layers import FittedLayers
from goldstone.auditing.forward import distances, norms
from goldstone.auditing.inspection import predict
from goldstone.auditing.probed_model import Model, probed, trajectories_of
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import InputError, Statistic, trees
from goldstone.core.trees import Tree

_CONTEXT = Context()


@dataclass(frozen=True)
class BandError:
    """One band of isotropic wavenumbers, low ≤ |k| < high in cycles per first side of the domain.

    Attributes:
        error: of the band alone, ‖P(f(gx) − g f(x))‖/‖P g f(x)‖, P the projection on the band.
        share: of the squared error ‖f(gx) − g f(x)‖² that lies in it; 0 where there is no error.
    """

    low: float
    high: float
    error: Statistic
    share: Statistic


@dataclass(frozen=True)
class ElementError:
    """The equivariance error of one element.

    Attributes:
        name: of the element.
        error: E‖f(gx) − g f(x)‖/‖f(x)‖.
        samples: the same for each sample.
        channels: of each channel alone (axis 1 of an output tensor), ‖Δ_c‖/‖(g f(x))_c‖; empty for
            trees and for more than 64 channels.
        bands: by wavenumber, of outputs (batch, channel, X, Y).
        rollout: ‖f^k(gx) − g f^k(x)‖/‖f^k(x)‖ for k = 1, 2, ….
        layers: the error of each layer's output: relative to its size, but for fitted layers
            relative to its variation about the mean.
    """

    name: str
    error: Statistic
    samples: tuple[float, ...]
    channels: tuple[Statistic, ...]
    bands: tuple[BandError, ...]
    rollout: tuple[Statistic, ...]
    layers: Mapping[str, Statistic] = field(hash=False)


@dataclass(frozen=True)
class EquivarianceErrors:
    """Equivariance errors of a model.

    Attributes:
        symmetry: its name.
        elements: the results, in the order of the elements.
        average: over the elements: of elements drawn from Haar measure an estimate of the group
            average, its interval for these elements, by resampling trajectories.
        worst: name of the element of the largest error.
        layer_actions: where each layer's action is from: ``declared`` by the symmetry or by the
            layer's own representation, ``inferred`` (scalars on its grid) or ``fitted`` (the best
            linear map of its channels).
        unmeasured: layers asked for without an action, or without enough samples to fit one.
        layer_nulls: of fitted layers, the error of the same fit to wrong pairs, gx of another
            trajectory, under the first element.
    """

    symmetry: str
    elements: tuple[ElementError, ...]
    average: Statistic
    worst: str
    layer_actions: Mapping[str, LayerSource] = field(hash=False)
    unmeasured: tuple[str, ...] = ()
    layer_nulls: Mapping[str, Statistic] = field(default_factory=dict, hash=False)


def equivariance_errors(
    model: Model,
    inputs: Tree,
    symmetry: Symmetry,
    elements: Sequence[Any] | int | None = None,
    *,
    layers: Sequence[str] | Literal["declared", "all"] = "declared",
    fit: bool | None = None,
    rollout_steps: int = 0,
    trajectory: Tensor | None = None,
    context: Context = _CONTEXT,
    batch: int = 32,
    replicates: int = 2000,
    seed: int = 0,
) -> EquivarianceErrors:
    """‖f(gx) − g f(x)‖/‖f(x)‖ in all its parts.

    Args:
        model: a module or a function of the inputs; a function has no layers.
        inputs: n samples: a tensor, sample axis first, or a tree of tensors.
        symmetry: the group and its actions, those of layers in ``on_layers``.
        elements: values of the group; a number of them to draw from Haar measure; None for the
            symmetry's own choice.
        layers: names of modules; ``declared`` for those in ``symmetry.on_layers``; ``all`` for
            every module without children besides. Of a module called several times the first call
            counts. Layers of :mod:`goldstone.nn` declare their own action.
        fit: whether a layer without a declared action is measured up to the best linear map of its
            channels, with points that move as the input's (see
            :func:`goldstone.auditing.fitted_actions.cross_fitted_error`), or else its channels are
            taken for scalars. None: fitted with ``layers="all"`` under all symmetries but shifts,
            under which channels cannot but stay.
        rollout_steps: how often the model is applied to its own output.
        trajectory: (n,) which trajectory each sample comes from, the unit of the bootstrap.
        context: the frame of the inputs (and layers); outputs lie one model step later.
        batch: samples evaluated together.
        replicates: of the bootstrap.
        seed: of the bootstrap, and of the elements.

    Raises:
        InputError: the model is refused (see :func:`goldstone.auditing.probed_model.probed`), a
            layer does not exist or gives no tensor, an element cannot act, or outputs cannot be
            inputs in a rollout.
    """
    chosen = choose_elements(symmetry, elements, seed)
    found = [_Errors() for _ in chosen]
    with probed(model, inputs) as module:
        of = trajectories_of(trajectory, trees.batch_size(inputs))
        bootstrap = Bootstrap.draw(int(of.max()) + 1, replicates, seed)
        plan = layer_actions_of(module, inputs, symmetry, layers, fit)
        fits = FittedLayers(plan.fitted(), plan.outputs, of, seed)
        fitted: list[dict[str, Statistic]] = []
        bands: list[tuple[float, float]] = []
        for start in range(0, len(chosen), fits.at_once):
            some = range(start, min(start + fits.at_once, len(chosen)))
            for x in trees.chunks(inputs, batch):
                with captured(module, plan.actions) as plain_layers:
                    plain = predict(module, x, batch)
                if rollout_steps and not trees.same_shapes(x, plain):
                    raise InputError(
                        f"a rollout needs outputs like the inputs, got {trees.describe(plain)} "
                        f"from {trees.describe(x)}"
                    )
                bands = wavenumber_bands(plain, context)
                states = _rollout(module, plain, rollout_steps)
                for i in some:
                    element, errors = chosen[i], found[i]
                    moved_input = symmetry.on_input.act(element, x, context)
                    with captured(module, plan.actions) as moved_layers:
                        of_moved = predict(module, moved_input, batch)
                    expected = symmetry.on_output.act(element, plain, context.at(context.step + 1))
                    errors.add("error", distances(of_moved, expected) / norms(plain))
                    errors.add("channels", by_channel(of_moved, expected))
                    if bands:
                        errors.add("bands", by_band(of_moved, expected, bands, context))
                    for name, action in plan.actions.items():
                        turned = action.act(element, plain_layers[name], context)
                        if plan.sources[name] == "fitted":
                            fits.add(i, name, moved_layers[name], turned)
                            continue
                        gap = distances(moved_layers[name], turned) / norms(plain_layers[name])
                        errors.add(f"layer {name}", gap)
                    of_rollout = _rollout(module, of_moved, rollout_steps)
                    for k, (state, other) in enumerate(zip(states, of_rollout, strict=True)):
                        later = context.at(context.step + k + 1)
                        there = symmetry.on_output.act(element, state, later)
                        errors.add(f"step {k}", distances(other, there) / norms(state))
            fitted += [fits.errors(i, bootstrap) for i in some]

    def mean(values: Tensor) -> Statistic:
        return mean_statistic(values, of, bootstrap)[0]

    measured = [name for name in plan.actions if name not in fits.unfit]
    results = tuple(
        ElementError(
            name=symmetry.group.element_name(element),
            error=mean(errors["error"]),
            samples=tuple(errors["error"].tolist()),
            channels=tuple(mean(c) for c in errors["channels"].unbind(1)),
            bands=tuple(
                BandError(low, high, mean(errors["bands"][:, i, 0]), mean(errors["bands"][:, i, 1]))
                for i, (low, high) in enumerate(bands)
            ),
            rollout=tuple(mean(errors[f"step {k}"]) for k in range(rollout_steps)),
            layers={
                name: of_fits[name] if name in of_fits else mean(errors[f"layer {name}"])
                for name in measured
            },
        )
        for element, errors, of_fits in zip(chosen, found, fitted, strict=True)
    )
    sizes = torch.stack([errors["error"] for errors in found]).double()
    # A NaN counts as the worst.
    worst = int(sizes.mean(1).nan_to_num(nan=torch.inf).argmax())
    return EquivarianceErrors(
        symmetry.name,
        results,
        mean(sizes.mean(0)),
        results[worst].name,
        {name: plan.sources[name] for name in measured},
        (*plan.unmeasured, *fits.unfit),
        fits.nulls,
    )


class _Errors:
    """Per-sample numbers of one element, batch after batch."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Tensor]] = defaultdict(list)

    def add(self, name: str, values: Tensor) -> None:
        self._parts[name].append(values.double().cpu())

    def __getitem__(self, name: str) -> Tensor:
        return torch.cat(self._parts[name])


def _rollout(model: nn.Module, first: Tree, steps: int) -> list[Tree]:
    """f(x), f²(x), … up to f^steps, from f(x)."""
    states = [first] if steps else []
    for _ in range(steps - 1):
        states.append(predict(model, states[-1], trees.batch_size(first)))
    return states
