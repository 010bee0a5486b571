"""The experiment: pairs of transformers, six ways to align them, and the barrier after each."""

import copy
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from goldstone.core import Progress, SilentProgress, generator, replacing
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.results import Provenance, Reproduction
from goldstone.reproductions.transformer_barriers.claims import (
    ACTIVATIONS,
    CONTROLS,
    HIDDEN,
    LEARNED,
    LEARNED_PERMUTED,
    LONGER,
    METHODS,
    PERMUTED,
    VANILLA,
    claims,
)
from goldstone.reproductions.transformer_barriers.figures import CAPTIONS, drawings
from goldstone.reproductions.transformer_barriers.network import (
    CharacterTransformer,
    each_loss,
    initialise,
    train,
)
from goldstone.reproductions.transformer_barriers.text import characters, windows
from goldstone.reproductions.versions import versions
from goldstone.weightspace import (
    Alignment,
    LearnedAlignment,
    activation_matching,
    learned_matching,
    loss_barrier,
    parameter_symmetries,
    weight_matching,
)
from goldstone.weightspace.symmetries.parameter_symmetry import Kind

_SILENT = SilentProgress()
_SOURCE = (
    "Generalized linear mode connectivity for transformers (arXiv 2506.22712); weight and "
    "activation matching after Ainsworth et al., Git Re-Basin (arXiv 2209.04836)"
)
_PERMUTATIONS: tuple[Kind, ...] = ("permutation",)


_MEASURED = (*METHODS, *CONTROLS, LONGER)


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    width: int = 64
    heads: int = 4
    depth: int = 2
    context: int = 64
    characters: int = 200_000
    held_out: int = 8_000
    pairs: int = 3
    steps: int = 1000
    batch: int = 16
    rate: float = 3e-3
    points: int = 25
    matching_windows: int = 256
    """Of the training text, for activation matching and learned matching."""
    learning_steps: int = 300
    learning_rate: float = 5e-3
    more_windows: int = 640
    more_steps: int = 450
    permutation_rate: float = 1e-2
    """Of learned permutations: an entry must grow by about 1 before a unit moves."""


FULL = Sizes()
QUICK = Sizes(
    width=32, characters=20_000, held_out=1_300, pairs=1, steps=60, points=5,
    matching_windows=48, learning_steps=20, more_windows=64, more_steps=30, permutation_rate=5e-2,
)  # fmt: skip


class _Experiment:
    """Text, networks and measurements of one folder."""

    def __init__(self, out: Path, sizes: Sizes) -> None:
        self.out, self.sizes = out, sizes
        self.text, held_out, self.alphabet = characters(sizes.characters, sizes.held_out)
        self.test = windows(held_out, sizes.context)
        inputs, targets = windows(self.text, sizes.context)
        self.inputs, self.targets = inputs, targets

    def training(self, seed: int) -> dict[str, Any]:
        """Train a network and keep its weights; its losses."""
        sizes, model = self.sizes, self._network()
        initialise(model, seed)
        loss = train(model, self.text, sizes.steps, sizes.batch, sizes.rate, seed)
        with replacing(self._file(seed)) as temporary:
            save_file({name: x.contiguous() for name, x in model.state_dict().items()}, temporary)
        test = each_loss(model(self.test[0]), self.test[1]).mean()
        return {"train loss": loss, "test loss": float(test.detach())}

    def barrier(self, pair: int, method: str) -> dict[str, Any]:
        """Align the second network of a pair to the first, and measure the line between them."""
        a, b = self._trained(2 * pair), self._trained(2 * pair + 1)
        own = b
        if method in CONTROLS:
            own, b = a, self._moved(a, pair)
        found = self._aligned(a, b, method, pair)
        moved = b if found is None else found.model(b)
        line = loss_barrier(a, moved, *self.test, each_loss, points=self.sizes.points)
        losses = [float(one.estimate or 0.0) for one in line.losses]
        change = (moved(self.test[0]) - own(self.test[0])).detach().abs().max()
        return {
            "barrier": line.barrier.estimate,
            "midpoint": losses[len(losses) // 2] - 0.5 * (losses[0] + losses[-1]),
            "losses": losses,
            "distance": None if found is None else found.distance / found.distance_before,
            "change of logits": float(change),
            "middle": list(found.middle) if isinstance(found, LearnedAlignment) else [],
        }

    def _aligned(
        self, a: CharacterTransformer, b: CharacterTransformer, method: str, seed: int
    ) -> Alignment | None:
        if method in (VANILLA, HIDDEN):
            return None
        if method == ACTIVATIONS:
            return activation_matching(a, b, self.inputs[: self.sizes.matching_windows])
        symmetries = parameter_symmetries(a, (self.test[0][:2],))
        kinds = _PERMUTATIONS if method in (PERMUTED, LEARNED_PERMUTED) else None
        start = weight_matching(a, b, symmetries, kinds=kinds)
        if method not in (LEARNED, LEARNED_PERMUTED, LONGER):
            return start
        sizes = self.sizes
        count, steps = sizes.matching_windows, sizes.learning_steps
        if method == LONGER:
            count, steps = sizes.more_windows, sizes.more_steps
        return learned_matching(
            a, b, symmetries, self.inputs[:count], self.targets[:count], each_loss,
            kinds=kinds, start=start, steps=steps, batch_size=sizes.batch,
            learning_rate=sizes.permutation_rate if kinds else sizes.learning_rate, seed=seed,
        )  # fmt: skip

    def _moved(self, a: CharacterTransformer, pair: int) -> CharacterTransformer:
        """The same function at other weights: a random element of each symmetry in turn."""
        state = a.state_dict()
        for k, symmetry in enumerate(parameter_symmetries(a, (self.test[0][:2],)).symmetries):
            element = symmetry.random_element(generator(pair, "moved", k))
            state = symmetry.act(element, state)
        model = copy.deepcopy(a)
        model.load_state_dict(state)
        return model

    def _network(self) -> CharacterTransformer:
        sizes = self.sizes
        return CharacterTransformer(
            len(self.alphabet), sizes.context, sizes.width, sizes.heads, sizes.depth
        )

    def _trained(self, seed: int) -> CharacterTransformer:
        model = self._network()
        if not self._file(seed).exists():
            self.training(seed)
        state: dict[str, Tensor] = load_file(self._file(seed))
        model.load_state_dict(state)
        model.eval()
        return model

    def _file(self, seed: int) -> Path:
        return self.out / f"network-{seed}.safetensors"


def reproduce(out: Path, *, quick: bool = False, progress: Progress = _SILENT) -> Reproduction:
    """Train pairs of character transformers and measure the barrier after each alignment."""
    sizes = QUICK if quick else FULL
    kept = Kept(out, {"sizes": asdict(sizes)})
    experiment = _Experiment(out, sizes)
    plan = {
        f"training-{seed}": partial(experiment.training, seed) for seed in range(2 * sizes.pairs)
    }
    for k in range(sizes.pairs):
        for method in _MEASURED:
            plan[f"{method}-{k}"] = partial(experiment.barrier, k, method)
    values: dict[str, dict[str, Any]] = {}
    with progress.task("transformer barriers", len(plan)) as task:
        for name, make in plan.items():
            values[name] = kept.measure(name, make)
            task.advance()
    runs = {m: [values[f"{m}-{k}"] for k in range(sizes.pairs)] for m in _MEASURED}
    trained = [values[f"training-{seed}"] for seed in range(2 * sizes.pairs)]
    drawn = drawings(runs)
    seconds: dict[str, float] = {}
    for name in plan:
        part = name.rpartition("-")[0]
        seconds[part] = seconds.get(part, 0.0) + kept.seconds(name)
    return Reproduction(
        name="transformer_barriers",
        title="Transformers connected along their symmetries",
        source=_SOURCE,
        setting=_setting(sizes, len(experiment.alphabet)),
        claims=claims(runs, trained),
        provenance=Provenance(
            versions(), tuple(range(2 * sizes.pairs)), kept.settings["sizes"], seconds, quick
        ),
        figures={name: CAPTIONS[name] for name in drawn},
        tables=values,
        drawings=drawn,
    )


def _setting(sizes: Sizes, alphabet: int) -> str:
    return (
        f"Character transformers of {sizes.depth} layers, {sizes.width} wide, with {sizes.heads} "
        f"heads, RMSNorm and GELU, trained for {sizes.steps} steps of {sizes.batch} windows of "
        f"{sizes.context} on {sizes.characters:,} characters (alphabet of {alphabet}) of a seeded "
        f"grammar with nested clauses, agreement and sums; {sizes.pairs} pairs that share neither "
        "initial weights nor order of the data. One network of a pair is moved along its "
        "symmetries, which leave its function as it is, and the test loss is measured at "
        f"{sizes.points} points between them. Learned matching takes {sizes.learning_steps} steps "
        f"on {sizes.matching_windows} windows of the training text, from weight matching (from "
        f"more text: {sizes.more_steps} on {sizes.more_windows}). The "
        "published networks have 6 layers, are 256 wide and read Tiny Shakespeare, at a loss of "
        "another size: numbers are not to be compared, the order is. Intervals are Student's over "
        "pairs."
    )
