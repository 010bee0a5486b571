"""The methods that gradient_peers.py compares; each prepares, and returns what is to be timed.

A method that cannot do the task raises, and what it says is the result. Libraries are imported only
here, so that a missing one is a result too.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone.actions import EULER_FIELDS, Context, flow_symmetry
from goldstone.curvature import (
    batched_gradients,
    ekfac,
    gauss_newton_operator,
    inner_products,
    kfac,
    kronecker_factors,
    per_sample_gradients,
    sketch_gradients,
)
from goldstone.systems.emulators import EmulatorConfig, build_emulator

U_NET = {"base_channels": 24, "stages": 2, "blocks_per_stage": 1}
VARIANTS = {
    "U-Net with attention": U_NET | {"attention": True},
    "U-Net without norms and attention": U_NET | {"attention": False, "normalise": False},
}


def squared_error(output, target):
    """Mean squared error of each sample."""
    return (output - target).square().flatten(1).mean(1)


@dataclass(frozen=True, eq=False)
class Work:
    """A model, the samples at every element of D4, and reference samples."""

    model: nn.Module
    inputs: Tensor
    targets: Tensor
    reference: Tensor

    @classmethod
    def make(cls, variant, grid, samples):
        config = EmulatorConfig("unet", EULER_FIELDS, (grid, grid), VARIANTS[variant])
        model = build_emulator(config, seed=0).eval()
        source = torch.Generator().manual_seed(0)
        shape = (samples, EULER_FIELDS.channels, grid, grid)
        x, y, held = (torch.randn(shape, generator=source) for _ in range(3))
        symmetry = flow_symmetry("D4", EULER_FIELDS, (grid, grid))
        elements = list(symmetry.group.elements())
        context = Context()
        inputs = torch.cat([symmetry.on_input.act(g, x, context) for g in elements])
        targets = torch.cat([symmetry.target_action.act(g, y, context) for g in elements])
        return cls(model, inputs, targets, held)

    @property
    def parameters(self):
        return tuple(self.model.parameters())

    def loss(self, output, i):
        return squared_error(output, self.targets[i : i + 1]).sum()

    def reference_gram(self):
        """In float64 throughout, by a loop."""
        model = self.model.double()
        try:
            rows = []
            for x, y in zip(self.inputs.double(), self.targets.double(), strict=True):
                value = squared_error(model(x[None]), y[None]).sum()
                rows.append(flat(torch.autograd.grad(value, self.parameters)))
            stacked = torch.stack(rows)
            return stacked @ stacked.T
        finally:
            model.float()


def flat(gradients):
    return torch.cat([g.reshape(-1) for g in gradients])


def loop_discarded(task):
    def work():
        for i in range(len(task.inputs)):
            torch.autograd.grad(task.loss(task.model(task.inputs[i : i + 1]), i), task.parameters)

    return work


def loop_kept(task):
    def work():
        rows = []
        for i in range(len(task.inputs)):
            value = task.loss(task.model(task.inputs[i : i + 1]), i)
            rows.append(flat(torch.autograd.grad(value, task.parameters)))
        kept = torch.stack(rows)
        return kept @ kept.T

    return work


def goldstone(task):
    return lambda: inner_products(per_sample_gradients(task.model, task.loss, task.inputs))


def goldstone_vmap(task):
    def work():
        found = batched_gradients(task.model, squared_error, task.inputs, task.targets, 8)
        if found.path != "vmap":
            raise RuntimeError(found.reason)
        return inner_products(found.rows)

    return work


def goldstone_sketch(task):
    return lambda: sketch_gradients(task.model, task.loss, task.inputs).gram().gram


def functorch(chunk):
    def method(task):
        values = {name: p.detach() for name, p in task.model.named_parameters()}

        def value(values, x, y):
            output = torch.func.functional_call(task.model, values, (x[None],))
            return squared_error(output, y[None]).sum()

        of_batch = torch.func.vmap(torch.func.grad(value), (None, 0, 0), chunk_size=chunk)

        def work():
            found = of_batch(values, task.inputs, task.targets)
            rows = torch.cat([g.flatten(1) for g in found.values()], 1)
            return rows @ rows.T

        return work

    return method


def opacus(task):
    from opacus.grad_sample import GradSampleModule

    # Opacus watches models in training mode alone; these have neither dropout nor BatchNorm.
    model = GradSampleModule(task.model.train(), loss_reduction="sum")

    def work():
        squared_error(model(task.inputs), task.targets).sum().backward()
        rows = torch.cat([p.grad_sample.flatten(1) for p in model.parameters()], 1)
        for p in model.parameters():
            p.grad = p.grad_sample = None
        return rows @ rows.T

    return work


def backpack(task):
    from backpack import backpack as context
    from backpack import extend
    from backpack.extensions import BatchGrad

    model, error = extend(task.model), extend(nn.MSELoss(reduction="sum"))

    def work():
        output = model(task.inputs)
        with context(BatchGrad()):
            (error(output, task.targets) / output[0].numel()).backward()
        without = [name for name, p in model.named_parameters() if not hasattr(p, "grad_batch")]
        if without:
            raise RuntimeError(f"no gradients, silently, of {len(without)} tensors: {without[0]} …")
        rows = torch.cat([p.grad_batch.flatten(1) for p in model.parameters()], 1)
        for p in model.parameters():
            del p.grad_batch
            p.grad = None
        return rows @ rows.T

    return work


GRAMS = {
    "loop, discarded": loop_discarded,
    "loop, kept": loop_kept,
    "goldstone": goldstone,
    "goldstone, vmap": goldstone_vmap,
    "goldstone, sketch": goldstone_sketch,
    "vmap(grad)": functorch(None),
    "vmap(grad) of 8": functorch(8),
    "opacus": opacus,
    "BackPACK": backpack,
}


class FlatOutputs(nn.Module):
    """Outputs as vectors, as some peers need them."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x).flatten(1)


def goldstone_product(task, rows, _):
    operator = gauss_newton_operator(task.model, task.reference)
    return lambda: torch.stack([operator.product(v) for v in rows[:2]])


def curvlinops_product(task, rows, _):
    from curvlinops import GGNLinearOperator

    zero = torch.zeros_like(task.reference)
    operator = GGNLinearOperator(
        task.model,
        nn.MSELoss(),
        list(task.parameters),
        [(task.reference, zero)],
        check_deterministic=False,
    )
    # The Gauss–Newton matrix of the mean square is 2 JᵀJ/N_out.
    return lambda: torch.stack([operator @ v for v in rows[:2]]) / 2


def goldstone_factored(*, diagonal):
    def method(task, rows, damping):
        def work():
            factors = kronecker_factors(task.model, task.reference, seed=0)
            share = damping / factors.mean_curvature
            if diagonal:
                metric = ekfac(task.model, task.reference, factors, share, seed=1)
            else:
                metric = kfac(factors, share)
            return metric.gram(rows)

        return work

    return method


def curvlinops_factored(kind, *, covered, flatten):
    """``covered``: convolutions and linear layers alone; ``flatten``: outputs as vectors."""

    def method(task, rows, damping):
        import curvlinops

        model = FlatOutputs(task.model) if flatten else task.model
        layers = [m for m in task.model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        inside = {id(p) for layer in layers for p in layer.parameters()}
        slots, start = [], 0
        for p in task.parameters:
            if not covered or id(p) in inside:
                slots.append((p, slice(start, start + p.numel())))
            start += p.numel()
        zero = torch.zeros_like(task.reference)
        data = [(task.reference, zero.flatten(1) if flatten else zero)]

        def work():
            chosen = [p for p, _ in slots]
            operator = getattr(curvlinops, kind)(
                model, nn.MSELoss(), chosen, data, check_deterministic=False
            )
            # λ is added to the product of the factors, as here; and their matrix is 2 JᵀJ/N_out.
            inverse = curvlinops.KFACInverseLinearOperator(
                operator, damping=2 * damping, use_exact_damping=True
            )
            part = torch.cat([rows[:, place] for _, place in slots], 1)
            return inner_products(part, (inverse @ part.T).T.contiguous())

        return work

    return method


SOLVES = {
    "goldstone, two products with Gauss–Newton": goldstone_product,
    "curvlinops, two products with Gauss–Newton": curvlinops_product,
    "goldstone, K-FAC of all parameters": goldstone_factored(diagonal=False),
    "goldstone, EK-FAC of all parameters": goldstone_factored(diagonal=True),
    "curvlinops, K-FAC of all parameters": curvlinops_factored(
        "KFACLinearOperator", covered=False, flatten=True
    ),
    "curvlinops, K-FAC of convolutions and linear layers": curvlinops_factored(
        "KFACLinearOperator", covered=True, flatten=True
    ),
    "curvlinops, K-FAC of them, field outputs": curvlinops_factored(
        "KFACLinearOperator", covered=True, flatten=False
    ),
    "curvlinops, EK-FAC of convolutions and linear layers": curvlinops_factored(
        "EKFACLinearOperator", covered=True, flatten=True
    ),
    "curvlinops, EK-FAC of them, field outputs": curvlinops_factored(
        "EKFACLinearOperator", covered=True, flatten=False
    ),
}
