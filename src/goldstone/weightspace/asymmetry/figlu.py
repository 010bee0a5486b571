"""σ-asymmetric activations: a gate that mixes the units by a fixed random matrix."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError, generator

POINTWISE = (nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.LeakyReLU, nn.ELU, nn.Sigmoid)


class FiGLU(nn.Module):
    """σ(x) = sigmoid(Fx) ⊙ x, F a fixed matrix of entries N(0, scale²).

    It commutes with no permutation of the units, so that the network around it has no permutation
    symmetries.

    Args:
        features: how many units.
        random: where F comes from.
        axis: of the units; the last by default, 1 for images.
        scale: of the entries of F.
        device: of F.
        dtype: of F; by default torch's.

    References:
        D. Lim et al., arXiv 2405.20231, section 3.2 (fixed gated linear unit).
    """

    matrix: Tensor

    def __init__(
        self,
        features: int,
        random: torch.Generator,
        axis: int = -1,
        scale: float = 1.0,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        matrix = scale * torch.randn(features, features, dtype=torch.float64, generator=random)
        self.register_buffer("matrix", matrix.to(device, dtype or torch.get_default_dtype()))
        self.axis, self.scale = axis, scale

    def forward(self, x: Tensor) -> Tensor:
        """The activations, of the shape of x."""
        if self.axis in (-1, x.ndim - 1):
            return torch.sigmoid(x @ self.matrix.mT) * x
        mixed = torch.tensordot(self.matrix, x, ([1], [self.axis])).movedim(0, self.axis)
        return torch.sigmoid(mixed) * x

    def extra_repr(self) -> str:
        return f"features={len(self.matrix)}, axis={self.axis}, scale={self.scale}"


def sigma_asymmetric(
    model: nn.Module,
    example: Any,
    *,
    seed: int,
    axis: int | Mapping[str, int] | None = None,
    scale: float = 1.0,
    activations: tuple[type[nn.Module], ...] = POINTWISE,
) -> nn.Module:
    """Replace the activation modules of a model by :class:`FiGLU`.

    Networks that are compared must share the matrices: the same seed gives the same ones, by the
    activation's name.

    Args:
        model: changed in place and returned.
        example: an input, to see how many units each activation has.
        seed: of the matrices.
        axis: of the units, for all or by name; by default 1 of tensors of four or more axes, else
            the last.
        scale: of the matrices' entries. The paper takes 1.
        activations: which modules are replaced.

    Raises:
        InputError: no activation module saw the example (activations that are called as functions
            cannot be replaced), or one serves layers of different widths.
    """
    # A module under several names is replaced under each.
    modules = model.named_modules(remove_duplicate=False)
    found = {name: m for name, m in modules if isinstance(m, activations)}
    if "" in found:
        raise InputError("expected a model with activation modules in it, got an activation")
    shapes = _input_shapes(model, example, found)
    if not shapes:
        raise InputError(
            f"no activation module of {type(model).__name__} saw the example: activations called "
            "as functions cannot be replaced; make them modules such as nn.GELU()"
        )
    chosen = dict.fromkeys(shapes, axis) if not isinstance(axis, Mapping) else axis
    widths: dict[str, tuple[int, int]] = {}
    for name, sizes in shapes.items():
        place = chosen.get(name)
        axes = {(1 if len(s) >= 4 else -1) if place is None else place for s in sizes}
        seen = {(a, s[a]) for s in sizes for a in axes}
        if len(seen) > 1:
            raise InputError(
                f"the activation {name!r} serves tensors of shapes {sorted(map(tuple, sizes))}: "
                "give each layer its own module"
            )
        widths[name] = seen.pop()
    reference = next(model.parameters(), None)
    like: dict[str, Any] = (
        {} if reference is None else {"device": reference.device, "dtype": reference.dtype}
    )
    for name, (place, features) in widths.items():
        parent, _, leaf = name.rpartition(".")
        unit = FiGLU(features, generator(seed, "σ-asymmetric", name), place, scale, **like)
        setattr(model.get_submodule(parent), leaf, unit.train(model.training))
    return model


def _input_shapes(
    model: nn.Module, example: Any, modules: Mapping[str, nn.Module]
) -> dict[str, set[torch.Size]]:
    """The shapes of inputs that each module saw; modules that saw none are left out."""
    shapes: dict[str, set[torch.Size]] = {}
    handles = [
        module.register_forward_pre_hook(
            lambda _, inputs, name=name: shapes.setdefault(name, set()).add(inputs[0].shape)
        )
        for name, module in modules.items()
    ]
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        with torch.no_grad():
            model(example)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    return shapes
