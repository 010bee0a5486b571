"""Claims on plasticity: does syre keep a continual learner learning?"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from goldstone.core import Statistic
from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import SERIES
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.mirror_collapse.continual import (
    OPTIMISERS,
    Learner,
    Method,
    learn,
    learners,
)
from goldstone.reproductions.mirror_collapse.sizes import Sizes
from goldstone.reproductions.parts import Part
from goldstone.reproductions.results import Claim, Comparison, over_seeds

_SOURCE = "Ziyin, Xu, Chuang 2025 (arXiv 2408.15495), continual learning"
_Found = Mapping[Learner, Sequence[dict[str, Any]]]


def continual_claims(kept: Kept, sizes: Sizes) -> Part:
    """Train all learners, and compare accuracies and collapse over tasks."""
    found: dict[Learner, list[dict[str, Any]]] = {}
    names = []
    for learner in learners(sizes):
        for seed in range(sizes.seeds):
            name = f"continual-{learner.name.replace(', ', '-').replace(' ', '-')}-{seed}"
            names.append(name)
            values = kept.measure(name, partial(learn, learner, seed, sizes))
            found.setdefault(learner, []).append(values)
    span = max(sizes.tasks // 16, 1)
    drawings = {
        "accuracy": side_by_side([_accuracy_panel(found, o, sizes, span) for o in OPTIMISERS]),
        "collapse": side_by_side(
            [
                _collapse_panel(found, sizes, quantity, k)
                for k, quantity in enumerate(
                    ("dead on data", "dead by weights", "effective rank of features")
                )
            ],
            columns=3,
        ),
    }
    captions = {
        "accuracy": "Accuracy on held-out digits at the end of each task, mean of seeds with its "
        "95 % interval.",
        "collapse": "Collapse of the learners trained with Adam over tasks, mean of seeds.",
    }
    return Part(
        (_plastic(found, span), _against_decay(found, span), _collapsed(found, sizes)),
        captions,
        drawings,
        {"continual": {learner.name: runs for learner, runs in found.items()}},
        sum(kept.seconds(name) for name in names),
    )


def _late(runs: Sequence[dict[str, Any]], span: int) -> list[float]:
    return [sum(run["accuracy"][-span:]) / span for run in runs]


def _early(runs: Sequence[dict[str, Any]], span: int) -> list[float]:
    """After the first task, which starts from fresh weights."""
    return [sum(run["accuracy"][1 : span + 1]) / len(run["accuracy"][1 : span + 1]) for run in runs]


def _gain(runs: Sequence[dict[str, Any]], span: int) -> Statistic:
    pairs = zip(_late(runs, span), _early(runs, span), strict=True)
    return over_seeds([late - early for late, early in pairs])


def _value(statistic: Statistic) -> float:
    return float("nan") if statistic.estimate is None else statistic.estimate


def _plastic(found: _Found, span: int) -> Claim:
    rows = []
    for learner, runs in found.items():
        rows += [
            Comparison(
                f"accuracy on the last {span} tasks, {learner.name}",
                "falls"
                if learner.method == "plain"
                else "stays"
                if learner.method == "syre"
                else "",
                over_seeds(_late(runs, span)),
                f"{_value(over_seeds(_early(runs, span))):.3f} at the start",
            )
        ]
    falls, stays = {}, {}
    for optimiser in OPTIMISERS:
        mine = {learner: runs for learner, runs in found.items() if learner.optimiser == optimiser}
        falls[optimiser] = _value(_gain(mine[Learner(optimiser, "plain")], span))
        stays[optimiser] = max(
            (_value(_gain(runs, span)), learner.strength)
            for learner, runs in mine.items()
            if learner.method == "syre"
        )
    good = [o for o in falls if falls[o] < -0.05 and stays[o][0] > -0.03]
    changes = "; ".join(
        f"{o}: plain {falls[o]:+.3f}, syre {stays[o][0]:+.3f} (λ = {stays[o][1]:g})" for o in falls
    )
    return Claim(
        "On a sequence of tasks plain training loses its plasticity, and syre keeps it.",
        _SOURCE,
        tuple(rows),
        "reproduced" if len(good) == len(falls) else "partly" if good else "not reproduced",
        ""
        if len(good) == len(falls)
        else f"It holds for {', '.join(good) or 'neither optimiser'}. Change of accuracy from the "
        f"first tasks to the last, syre at its best strength: {changes}. SGD, tried with the "
        "largest strength alone, loses slowly in either form; plain Adam shuts the whole second "
        "layer (effective rank of its features 0).",
        ("accuracy",),
    )


def _against_decay(found: _Found, span: int) -> Claim:
    rows, better = [], []
    for learner, runs in found.items():
        if learner.method != "syre":
            continue
        control = found[Learner(learner.optimiser, "decay", learner.strength)]
        pairs = zip(_late(runs, span), _late(control, span), strict=True)
        difference = over_seeds([ours - theirs for ours, theirs in pairs])
        name = f"{learner.optimiser}, λ = {learner.strength:g}"
        rows.append(Comparison(f"accuracy, syre less decay, {name}", "> 0", difference))
        if difference.low is not None and difference.low > 0:
            better.append(name)
    every = len(better) == len(rows)
    return Claim(
        "syre does so better than weight decay of the same strength.",
        _SOURCE,
        tuple(rows),
        "reproduced" if every else "partly" if better else "not reproduced",
        ""
        if every
        else "The paired difference is above zero with its whole interval for "
        f"{'; '.join(better) or 'none'}, of {len(rows)} settings. What keeps the learner plastic "
        "with Adam is for the most part that weights stay small, as they do with both. syre adds "
        "that no unit decays to nothing, which at the best strength of Adam makes no difference "
        "to be seen.",
    )


def _collapsed(found: _Found, sizes: Sizes) -> Claim:
    rows, fewer = [], []
    for quantity in ("dead by weights", "dead on data", "effective rank of features"):
        for learner, runs in found.items():
            if learner.strength in (0.0, sizes.strengths[-1]):
                values = over_seeds([run["collapse"][-1][quantity] for run in runs])
                rows.append(Comparison(f"{quantity}, {learner.name}", "", values))
    for optimiser in OPTIMISERS:
        dead = {
            method: _value(
                over_seeds(
                    [
                        run["collapse"][-1]["dead by weights"]
                        for run in found[Learner(optimiser, method, sizes.strengths[-1])]
                    ]
                )
            )
            for method in ("decay", "syre")
        }
        fewer.append(dead["syre"] < 0.5 * dead["decay"])
    most = sizes.strengths[-1]
    return Claim(
        "Weight decay draws units onto the fixed set of their symmetry, where they are dead for "
        "good; with syre they are not drawn there.",
        "Ziyin 2024 (arXiv 2309.16932); " + _SOURCE,
        tuple(rows),
        "reproduced" if all(fewer) else "partly" if any(fewer) else "not reproduced",
        "By weights this is so by construction, as syre decays to θ₀. What counts is the data: "
        f"units that never open are {_shares(found, sizes, 'decay')} with decay of {most:g} and "
        f"{_shares(found, sizes, 'syre')} with syre.",
        ("collapse",),
    )


def _shares(found: _Found, sizes: Sizes, method: Method) -> str:
    """Of units that never open on the data, for both optimisers."""
    shares = []
    for optimiser in OPTIMISERS:
        runs = found[Learner(optimiser, method, sizes.strengths[-1])]
        share = _value(over_seeds([run["collapse"][-1]["dead on data"] for run in runs]))
        shares.append(f"{share:.2f} ({optimiser})")
    return " and ".join(shares)


def _accuracy_panel(found: _Found, optimiser: str, sizes: Sizes, span: int) -> str:
    """Means over spans of tasks."""
    starts = range(0, sizes.tasks - span + 1, span)
    lines = []
    for learner, runs in found.items():
        if learner.optimiser != optimiser or learner.strength not in (0.0, *sizes.strengths[-2:]):
            continue
        curve = [
            over_seeds([sum(run["accuracy"][s : s + span]) / span for run in runs]) for s in starts
        ]
        weak = learner.strength not in (0.0, sizes.strengths[-1])
        lines.append(
            Line(
                learner.name.split(", ")[1],
                tuple(s.estimate for s in curve),
                SERIES[("plain", "decay", "syre").index(learner.method)],
                (5.0, 2.0) if weak else (),
                () if weak else tuple(_possible(s.low) for s in curve),
                () if weak else tuple(_possible(s.high) for s in curve),
            )
        )
    return line_plot(
        f"mirror-accuracy-{optimiser}", f"accuracy, {optimiser}", "task",
        [s + span / 2 for s in starts], lines, unit="held-out accuracy", width=430, height=320,
    )  # fmt: skip


def _possible(accuracy: float | None) -> float | None:
    return None if accuracy is None else min(max(accuracy, 0.0), 1.0)


def _collapse_panel(found: _Found, sizes: Sizes, quantity: str, number: int) -> str:
    lines = []
    for learner, runs in found.items():
        if learner.optimiser != "Adam" or learner.strength not in (0.0, sizes.strengths[-1]):
            continue
        values = [
            over_seeds([run["collapse"][k][quantity] for run in runs]).estimate
            for k in range(len(runs[0]["collapse"]))
        ]
        colour = SERIES[("plain", "decay", "syre").index(learner.method)]
        lines.append(Line(learner.name.split(", ")[1], tuple(values), colour))
    tasks = [row["task"] for row in next(iter(found.values()))[0]["collapse"]]
    return line_plot(
        f"mirror-collapse-{number}", quantity, "task", tasks, lines,
        unit="" if "rank" in quantity else "share of units", width=340, height=280,
    )  # fmt: skip
