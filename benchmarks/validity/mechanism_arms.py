"""The arms of the mechanism experiment: what each adds to the training loss."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.validity.mechanism_cases import Case, Pair, turned_in_place
from goldstone.core import generator
from goldstone.training.orbit_coherence_penalty import coherence_of, sample_gradients

BATCH, PAIRS = 64, 16
PRIMING = 150


@dataclass(frozen=True)
class Arm:
    """What is added to the loss with which weight; see :data:`TERMS`."""

    term: str
    strength: float = 0.0
    also: str = ""
    weight: float = 0.0
    primed: bool = False

    @property
    def name(self) -> str:
        """One line of a table."""
        if not self.strength:
            return self.term
        sign = f"{self.strength:+g}"
        first = f"{self.also} and " if self.also else ""
        return f"{first}{self.term} {sign}{' before training only' if self.primed else ''}"


@dataclass(frozen=True)
class Draw:
    """What is random in a step: the same for all arms of a seed."""

    batch: Tensor
    pairs: Tensor
    element: str
    order: Tensor
    covectors: Tensor

    @classmethod
    def of(cls, case: Case, seed: int, step: int) -> "Draw":
        source = generator(seed, "mechanism", step)
        n, used = len(case.train[0]), case.named("used")
        batch = torch.randperm(n, generator=source)[:BATCH]
        pairs = torch.randperm(n, generator=source)[:PAIRS]
        element = used[int(torch.randint(len(used), (), generator=source))]
        # A shift of a random order pairs no sample with itself.
        order = torch.randperm(PAIRS, generator=source)
        shuffled = torch.empty_like(order)
        shuffled[order] = order.roll(1)
        outputs = (PAIRS, 10) if case.labelled else (PAIRS, *case.train[1].shape[1:])
        return cls(batch, pairs, element, shuffled, torch.randn(outputs, generator=source))


def _loss_gradients(model: nn.Module, case: Case, draw: Draw, moved: Pair) -> list[Tensor]:
    (x, y), (gx, gy) = case.train, moved
    i = draw.pairs
    inputs, targets = torch.cat([x[i], gx[i]]), torch.cat([y[i], gy[i]])
    return list(sample_gradients(model, case.loss, inputs, targets).chunk(2))


def _probe_gradients(
    model: nn.Module, case: Case, draw: Draw, covectors: Tensor, names: list[str] | None = None
) -> list[Tensor]:
    i = draw.pairs
    inputs = torch.cat([case.train[0][i], case.moved[draw.element][0][i]])
    vectors = torch.cat([covectors, turned(case, draw.element, covectors)])
    return list(sample_gradients(model, paired, inputs, vectors, names).chunk(2))


def paired(output: Tensor, vector: Tensor) -> Tensor:
    """⟨v, f⟩ of each sample."""
    return (output * vector).flatten(1).sum(1)


def turned(case: Case, element: str, outputs: Tensor) -> Tensor:
    """Outputs as the symmetry moves them: not at all for classes."""
    found: Tensor = case.symmetry.on_output.act(case.elements[element], outputs, case.held.context)
    return found


def orbit(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """1 − ρ of loss gradients; labels at gx are seen."""
    return 1 - coherence_of(*_loss_gradients(model, case, draw, case.moved[draw.element]))


def wrong(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """1 − ρ of loss gradients under an action that is no symmetry of the task."""
    return 1 - coherence_of(*_loss_gradients(model, case, draw, case.wrong))


def shuffled(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """1 − ρ of the pairs (x_i, g x_j): the same gradients with the pairing broken."""
    a, b = _loss_gradients(model, case, draw, case.moved[draw.element])
    return 1 - coherence_of(a, b[draw.order])


def common(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """1 − mean cosine of the pairs (x_i, g x_j): the poses' common mode, and not ρ."""
    a, b = _loss_gradients(model, case, draw, case.moved[draw.element])
    unit = nn.functional.normalize
    return 1 - (unit(a) * unit(b)[draw.order]).sum(1).mean()


def probe(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """1 − probe coherence: a random covector for each sample, no labels."""
    return 1 - coherence_of(*_probe_gradients(model, case, draw, draw.covectors))


def kernel(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """1 − probe coherence of one random covector for all samples.

    What the kernel does alike for all pairs is in the null then, and taken away.
    """
    return 1 - coherence_of(*_probe_gradients(model, case, draw, _shared(draw)))


def hidden(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """As :func:`kernel`, of the parameters before the last layer."""
    names = [n for n, _ in model.named_parameters() if not n.startswith(case.head)]
    return 1 - coherence_of(*_probe_gradients(model, case, draw, _shared(draw), names))


def wrong_kernel(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """As :func:`kernel`, under the action that is no symmetry."""
    i, v = draw.pairs, _shared(draw)
    inputs = torch.cat([case.train[0][i], case.wrong[0][i]])
    moved = v if case.labelled else turned_in_place(v)
    return 1 - coherence_of(
        *sample_gradients(model, paired, inputs, torch.cat([v, moved])).chunk(2)
    )


def _shared(draw: Draw) -> Tensor:
    return draw.covectors[:1].expand_as(draw.covectors)


def consistency(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """E‖f(gx) − g f(x)‖² over the variance of f(x): the outputs alone, no gradients."""
    i = draw.batch
    before = model(case.train[0][i])
    after = model(case.moved[draw.element][0][i])
    gap = (after - turned(case, draw.element, before)).square().flatten(1).sum(1).mean()
    return gap / (before - before.mean(0)).square().flatten(1).sum(1).mean()


def augmentation(model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """The loss itself at gx: what no other arm trains on."""
    gx, gy = case.moved[draw.element]
    return case.loss(model(gx[draw.batch]), gy[draw.batch]).mean()


TERMS: dict[str, Callable[[nn.Module, Case, Draw], Tensor]] = {
    "ρ": orbit,
    "probe": probe,
    "kernel": kernel,
    "kernel of hidden layers": hidden,
    "ρ of shuffled pairs": shuffled,
    "common mode": common,
    "ρ of a wrong action": wrong,
    "kernel of a wrong action": wrong_kernel,
    "consistency": consistency,
    "augmentation": augmentation,
}


def added(arm: Arm, model: nn.Module, case: Case, draw: Draw) -> Tensor:
    """The arm's term of the loss. A coherence is raised by a positive strength."""
    term = arm.strength * TERMS[arm.term](model, case, draw)
    return term + arm.weight * TERMS[arm.also](model, case, draw) if arm.also else term


CONTROL = Arm("control")
_PLACEBOS = (
    Arm("ρ of shuffled pairs", 1.0),
    Arm("ρ of a wrong action", 1.0),
    Arm("kernel of a wrong action", 1.0),
)
_BESIDE = (
    Arm("consistency", 0.1),
    Arm("augmentation", 1.0),
    Arm("ρ", -1.0, also="augmentation", weight=1.0),
)
_ARMS = {
    "digits, perceptron": (
        CONTROL,
        *(Arm("ρ", s) for s in (-1.0, -0.3, -0.1, 0.1, 0.3, 1.0, 3.0)),
        *(Arm("kernel", s) for s in (-0.3, -0.1, 0.1, 0.3, 1.0)),
        Arm("kernel of hidden layers", 1.0),
        Arm("probe", 1.0),
        Arm("common mode", 1.0),
        *_PLACEBOS,
        *_BESIDE,
        Arm("kernel", 1.0, primed=True),
        Arm("kernel of a wrong action", 1.0, primed=True),
    ),
    "digits, convolutional": (
        CONTROL,
        *(Arm(term, s) for term in ("ρ", "kernel") for s in (-0.3, 0.3, 1.0)),
        *_PLACEBOS,
        *_BESIDE,
    ),
    "flow, convolutional": (
        CONTROL,
        *(Arm("kernel", s) for s in (-0.1, 0.03, 0.1)),
        Arm("kernel of a wrong action", 0.1),
        Arm("augmentation", 1.0),
    ),
}


def arms(case: Case) -> tuple[Arm, ...]:
    """Of a case; the strengths suit the size of its loss."""
    return _ARMS[case.name]
