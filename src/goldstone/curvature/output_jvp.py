"""Directional derivatives of a model's outputs in its parameters."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from goldstone.core import InputError, Task, generator
from goldstone.curvature.parameters import real_dtype, split_vector, trainable_parameters
from goldstone.curvature.tree_batches import TreeBatch

Path = Literal["forward mode", "double backward", "central differences"]
_Outputs = Callable[[dict[str, Tensor]], Tensor]
_Push = Callable[[Tensor], Tensor]


def output_jvps(
    model: nn.Module,
    inputs: Tensor | TreeBatch,
    directions: Tensor,
    task: Task | None = None,
    together: int = 1,
) -> tuple[Tensor, Path]:
    """J v for each row v of ``directions``, J = d(outputs on ``inputs``)/dθ.

    Forward mode; where an operation has no forward derivative, double backward
    (J v = d/du [uᵀJ] v, exact too, about twice the cost); where it has no second derivative either,
    as kernels of one's own, central differences (f(θ + hv) − f(θ − hv))/2h, with h|v| = ε^⅓|θ|,
    right to about ε^⅔ (2e-5 in float32). Attention uses the math kernel, since the fused ones have
    forward and second derivatives neither.

    Forward mode takes ``together`` directions at a time by vmap where the model allows it: the
    outputs themselves are then computed once for so many, which saves a quarter of the time at 4,
    and the memory of as many derivatives of the activations is needed.

    Returns:
        (k, number of output values), and the path taken.

    Raises:
        InputError: the model cannot be called with other parameters, as TorchScript's cannot.
    """
    parameters = {name: p.detach() for name, p in trainable_parameters(model).items()}

    def outputs(values: dict[str, Tensor]) -> Tensor:
        result = functional_call(model, values, (inputs,))
        return torch.view_as_real(result) if result.is_complex() else result

    def forward_mode(v: Tensor) -> Tensor:
        with torch.no_grad():
            tangents = split_vector(v, parameters)
            derivative: Tensor = jvp(outputs, (parameters,), (tangents,))[1]
        return derivative

    with sdpa_kernel(SDPBackend.MATH):
        path, push, first = _first_that_works(
            {
                "forward mode": lambda: forward_mode,
                "double backward": lambda: _double_backward(outputs, parameters),
                "central differences": lambda: _differences(outputs, parameters),
            },
            directions[0],
        )
        rows = torch.empty(len(directions), first.numel(), dtype=first.dtype, device=first.device)
        rows[0] = first.reshape(-1)
        if task is not None:
            task.advance()
        done, batched = 1, path == "forward mode"
        while done < len(directions):
            part = directions[done : done + together] if batched else directions[done : done + 1]
            try:
                found = vmap(push)(part) if len(part) > 1 else push(part[0])
            except Exception:  # Models refuse vmap in many ways; what is wrong fails alone too.
                if len(part) == 1:
                    raise
                batched = False
                continue
            rows[done : done + len(part)] = found.detach().reshape(len(part), -1)
            done += len(part)
            if task is not None:
                task.advance(len(part))
    return rows, path


def _first_that_works(
    ways: Mapping[Path, Callable[[], _Push]], v: Tensor
) -> tuple[Path, _Push, Tensor]:
    """The first of the ways that gives J v, tried in order, and J v.

    Raises:
        InputError: none does.
    """
    for path, make in ways.items():
        try:
            push = make()
            found = push(v).detach()
        except (NotImplementedError, RuntimeError) as error:
            said = str(error)
        else:
            return path, push, found
    raise InputError(
        f"the derivatives of the model's outputs cannot be taken in any way: {said}; leave out the "
        "metrics that need them, AuditSettings(metrics=('euclidean',)), or give the module that a "
        "TorchScript model was made of"
    )


def _double_backward(outputs: _Outputs, parameters: Mapping[str, Tensor]) -> _Push:
    """J v as the derivative in u of ⟨uᵀJ, v⟩, which is linear in u.

    A backward pass that autograd cannot follow would lose parts of J without a word: the adjoint
    identity ⟨w, J v⟩ = ⟨Jᵀw, v⟩ for a random w finds that out, and a RuntimeError says so.
    """
    with torch.enable_grad():
        leaves = {name: p.clone().requires_grad_() for name, p in parameters.items()}
        value = outputs(leaves)
        u = torch.zeros_like(value, requires_grad=True)
        tensors = list(leaves.values())
        pulled = torch.autograd.grad(value, tensors, u, create_graph=True, materialize_grads=True)
    w = torch.randn(value.shape, generator=generator(0, "adjoint test"), dtype=torch.float64)
    w = w.to(value)
    once = torch.autograd.grad(value, tensors, w, retain_graph=True, materialize_grads=True)

    def apply(v: Tensor) -> Tensor:
        tangents = list(split_vector(v, parameters).values())
        (result,) = torch.autograd.grad(
            pulled, u, tangents, retain_graph=True, materialize_grads=True
        )
        expected = sum(_inner(g, t) for g, t in zip(once, tangents, strict=True))
        allowed = torch.finfo(result.dtype).eps ** 0.5 * float(result.norm() * w.norm())
        if not abs(float(_inner(w, result) - expected)) <= allowed:
            raise RuntimeError("the backward pass cannot be differentiated")
        pushed: Tensor = result
        return pushed

    return apply


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """Re Σ ā b."""
    return (a.conj() * b).sum().real


def _differences(outputs: _Outputs, parameters: Mapping[str, Tensor]) -> _Push:
    """(f(θ + hv) − f(θ − hv))/2h with h|v| = ε^⅓|θ|."""
    size = torch.cat([p.abs().reshape(-1) for p in parameters.values()]).double().norm()
    epsilon = torch.finfo(real_dtype(parameters)).eps

    def apply(v: Tensor) -> Tensor:
        length = float(v.double().norm())
        h = epsilon ** (1 / 3) * (float(size) or 1.0) / (length or 1.0)
        tangents = split_vector(v, parameters)
        with torch.no_grad():
            ahead, back = (
                outputs({name: p + step * tangents[name] for name, p in parameters.items()})
                for step in (h, -h)
            )
        difference: Tensor = (ahead - back) / (2 * h)
        return difference

    return apply
