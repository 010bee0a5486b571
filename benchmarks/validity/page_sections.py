"""The sections of docs/validity.md that are made of scores.json, and those that others wrote."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

from benchmarks.validity import tables
from benchmarks.validity.choosing import CUT
from benchmarks.validity.observations import FORWARD
from benchmarks.validity.tables import DECLARED, EUCLIDEAN, value

RESULTS = Path(__file__).parents[1] / "results" / "validity"
GOALS = {"holds": 0.99, "transports": 0.95}

_ASKED = """\
[An audit](methods/influence.md) answers two questions of every element g of a group. Does the
symmetry *hold*: are gx and gy predicted as well as x and y? Does learning *transport* along it:
does what is learned at x arrive at gx? This page asks whether the answers are true, of models whose
status is known.

- **Truth of *holds*.** *By construction*: yes where it is built in or shown by the training
  data; no where it is neither, so that nothing asked for it. *In the
  population*: T = mean log ℓ(gx)/ℓ(x) below log 1.1 over all held-out samples, several times those
  of the audit, which are among them: this asks whether so few are enough, and no more.
- **Truth of *transports*.** [Taught once](methods/teach-once.md): a copy of the model is taught
  something new in one pose, with its own optimiser; *transfer* is how much of it arrives in the
  other. Of several lessons the median of those that were learned counts, at half of the achievable
  gain, and a symmetry counts as transporting above {cut:g} %. Where x can hardly be told from gx
  (novelty below {novelty:g}) there is no transfer. *By construction*: yes where it is built in, no
  for experts of which each pose has its own.
- **Declared before any score was seen:** that cut, the rules of choice
  (`benchmarks/validity/choosing.py`) and the halves (seed {seed} of
  `benchmarks/validity/families.py`). Not declared were the models: data and training were made so
  that what is shown is learned and the rest fails, which makes clear cases of *holds*. After a
  first scoring (AUROC of ρ 0.90) the convolutional networks and transformers of graphs were trained
  twice as long, the gate of skill was mended, and ρ_min was raised from 0.1 to 0.2. After a second
  (0.89) the one pose in which points are taught was chosen anew, because C2[1,1,0] had mapped it to
  itself, and lessons of flows were made three times as long, for most were still being learned.
- **Intervals:** 95 %, resampling families (task × kind of architecture) and then the models of
  each. Where all are in order an AUROC is 1 in every resample, and a share of 0 or 100 % is that in
  every resample: such intervals say nothing.

In short: {models} models, {observations} pairs of a trained model and an element, {families}
families. {holds} {transports}

To make it all again (the zoo takes hours, and goes on where it was stopped):

    python -m benchmarks.validity --out FOLDER
    python -m benchmarks.validity.coverage
    python -m benchmarks.validity.scores
    python -m benchmarks.validity.page

`python -m benchmarks.validity --quick` checks eight tiny models whose answers are certain, and runs
in the tests.
"""


@dataclass(frozen=True)
class Sections:
    """Lines of Markdown; the sentences follow the numbers."""

    scores: Mapping[str, Any]
    images: Path

    def before_coverage(self) -> list[str]:
        """From what is asked to the samples needed."""
        return [
            *self._asked(),
            *self._section("The zoo", "zoo", self._zoo()),
            *self._section("Holds", "holds", self._holds(), ("areas", "AUROC by score")),
            *self._section("Transports", "transports", self._transports(), _SCATTER),
            *self._sub("Within tasks", "by-task", ""),
            *self._sub("Other cuts and budgets", "sensitivity", self._sensitivity()),
            *self._section("Which metric", "metrics", self._metrics(), _METRICS),
            *self._sub("Chosen on one half, confirmed on the other", "halves", self._halves()),
            *self._sub("Chosen on other tasks", "new-task", self._new_task()),
            *self._section("Thresholds", "verdicts", self._verdicts()),
            *self._sub("Over ρ_min", "thresholds", self._thresholds(), _OPERATING),
            *self._section("Samples needed", "samples", self._samples()),
        ]

    def after_coverage(self) -> list[str]:
        """Controls and ε."""
        return [
            *self._section("Controls", "controls", self._controls()),
            *self._section("A growing free path", "free-path", self._free_path(), _FREE),
        ]

    def failures(self) -> list[str]:
        """Where the instrument fails."""
        return self._section("Where the instrument fails", "failures", self._failures())

    def _asked(self) -> list[str]:
        scores = self.scores
        text = _ASKED.format(
            cut=CUT,
            seed=scores["declared"]["split seed"],
            novelty=scores["declared"]["novelty"],
            models=scores["models"],
            observations=scores["observations"],
            families=scores["families"],
            holds=self._goal("holds"),
            transports=self._goal("transports"),
        )
        return [text]

    def _goal(self, axis: str) -> str:
        statistic = (FORWARD, "−T") if axis == "holds" else (EUCLIDEAN, "ρ")
        truth = "by construction" if axis == "holds" else DECLARED
        found = self._score(axis, "auroc", truth, statistic)
        name = "−T" if axis == "holds" else "ρ (Euclidean, unit gradients)"
        if found[0] is None:
            return f"*{axis.capitalize()}*: not known, one class is missing."
        word = "reached" if found[0] >= GOALS[axis] else "missed"
        return (
            f"*{axis.capitalize()}*: AUROC of {name} {value(found)}; the goal of "
            f"{GOALS[axis]:.2f} is {word}."
        )

    def _zoo(self) -> str:
        zoo = self.scores["zoo"]
        tasks = len({row["task"] for row in zoo})
        return (
            f"{self.scores['models']} models of {tasks} tasks, "
            f"{self.scores['skilled']} of them trained. *biased*: on data that show some poses "
            "only; *symmetric*: on data of all poses; *augmented*, *subgroup*: on biased data, "
            "moved by random elements of the group or of a subgroup. *free path*: an equivariant "
            "network plus ε times a free one. *trivial*: constant or identity. Time is processor "
            "time of nine metrics and all lessons."
        )

    def _holds(self) -> str:
        labels = self.scores["labels"]
        alone, missing = (
            labels[f"holds {where} alone"] for where in ("in the population", "by construction")
        )
        text = (
            f"{self._goal('holds')} The two truths differ in {alone + missing} of "
            f"{labels['holds by both']} elements"
        )
        if alone:
            text += f"; {alone} hold on all held-out samples though nothing made them"
        if missing:
            text += (
                f"; {missing} were shown or built in, and yet T is above log 1.1 on all held-out "
                "samples: training did not reach what its data offered"
            )
        return text + "."

    def _transports(self) -> str:
        transfers = self.scores["transfers"]["transfer 0.5"]
        rivals = {
            "the raw cosine": (EUCLIDEAN, "K"),
            "the forward loss ratio": (FORWARD, "−T"),
        }
        said = []
        for name, key in rivals.items():
            rival = self._score("transports", "auroc", DECLARED, key)
            found = self._advantage(key)
            if found[0] is not None and rival[0] is not None:
                said.append(
                    f"{_compared(found)} {name} ({value(rival)}; ρ less that, in the same "
                    f"resamples: {value(found)})"
                )
        best = self._best()
        return (
            f"{self._goal('transports')} Of {transfers['known']} elements the transfer is known, "
            f"of {transfers['above']} it is above {CUT:g} %. ρ tells them apart "
            + " and ".join(said)
            + f". {best} {self._lessons()}"
        ).strip()

    def _advantage(self, key: tuple[str, str]) -> Sequence[float | None]:
        """AUROC of Euclidean ρ less that of another score."""
        rows = self.scores["ρ against"]
        found: Sequence[float | None] = next(
            (r["value"] for r in rows if (r["metric"], r["statistic"]) == key), [None] * 3
        )
        return found

    def _lessons(self) -> str:
        found = self.scores["lessons"]
        if not found["learned"]:
            return ""
        return (
            f"Of {found['given']} lessons {found['learned']} were learned at half of what could "
            f"be gained, where the median was {100 * found['reached']:.0f} % of it. "
            f"{found['still learning']} went on being learned to their last step, so that more "
            f"could have been gained than was seen.{self._agreement()}"
        )

    def _agreement(self) -> str:
        found = self.scores["agreement"]
        if found["auroc"][0] is None:
            return ""
        return (
            " How sharp is this truth itself? Transfer by one lesson tells that by the others "
            f"(median above {CUT:g} %) with an AUROC of {value(found['auroc'])} and a rank "
            f"correlation of {value(found['rank'])}, over {found['n']} elements with two lessons "
            "or more: little better can be asked of a score that sees no lesson."
        )

    def _best(self) -> str:
        rows = [
            r
            for r in self.scores["scores"]
            if (r["axis"], r["measure"], r["truth"]) == ("transports", "auroc", DECLARED)
            and r["value"][0] is not None
            and not r["undefined"]
        ]
        if not rows:
            return ""
        best = max(rows, key=lambda r: r["value"][0])
        return (
            f"The largest AUROC of all scores is that of {best['statistic']} "
            f"({best['metric']}): {value(best['value'])}; it is the largest of {len(rows)}, and so "
            "flattered (Euclidean ρ less it: "
            f"{value(self._advantage((best['metric'], best['statistic'])))})."
        )

    def _sensitivity(self) -> str:
        rows = [
            r["value"][0]
            for r in self.scores["scores"]
            if (r["metric"], r["statistic"], r["measure"]) == (EUCLIDEAN, "ρ", "auroc")
            and r["axis"] == "transports"
            and "budget" in r["truth"]
            and r["value"][0] is not None
        ]
        if not rows:
            return ""
        return (
            f"Over all cuts, budgets and kinds of transfer the AUROC of ρ lies between "
            f"{min(rows):.2f} and {max(rows):.2f}."
        )

    def _metrics(self) -> str:
        return (
            "AUROC (transfer above 50 %) / rank correlation with transfer. n is the number of "
            "elements; metrics that were not measured in every task are not comparable with the "
            "others, and cannot be chosen."
        )

    def _halves(self) -> str:
        entries = [e for e in self.scores["cross-fitted"] if "metric" in e]
        choices = [(e["metric"], e["statistic"]) for e in entries]
        text = (
            "The rule: the largest mean of AUROC and rank correlation; within 0.01 of the best the "
            "cheaper metric. ρ_min: the largest utility of the verdict, 1 for a right answer, ½ "
            "for none, 0 for a wrong one, both truths weighing alike. "
        )
        if not choices:
            return text + "Nothing could be chosen: one class is missing."
        named = " and ".join(dict.fromkeys(f"{s} in the {m} metric" for m, s in choices))
        text += ("The halves disagree: " if len(set(choices)) > 1 else "Chosen: ") + named + ". "
        for kind, name in (("confirmed", "What was chosen"), ("default", "Euclidean ρ")):
            areas = [e[kind]["auroc"][0] for e in entries]
            known = [f"{a:.2f}" for a in areas if a is not None]
            reached = sum(a is not None and a >= GOALS["transports"] for a in areas)
            text += (
                f"{name} has an AUROC of {' and '.join(known)} on the other half; the goal of "
                f"{GOALS['transports']:.2f} is reached in {reached} of {len(areas)}. "
            )
        counts = [e["confirmed"]["n"] for e in entries]
        return text + f"Confirmed on {' and '.join(map(str, counts))} elements."

    def _new_task(self) -> str:
        entries = [e for e in self.scores["new task"] if "metric" in e]
        areas = {e["split"]: e["default"]["auroc"][0] for e in entries}
        known = {task: area for task, area in areas.items() if area is not None}
        text = (
            "Halves share their tasks: data, lessons and group. Harder is a task that no choice "
            "has seen. "
        )
        if not known:
            return text + "It is not known: one class is missing."
        worst = min(known, key=lambda task: known[task])
        return text + (
            f"Euclidean ρ has an AUROC from {known[worst]:.2f} ({worst}) to "
            f"{max(known.values()):.2f} there; intervals are of few families."
        )

    def _thresholds(self) -> str:
        found = {
            least: entry["utility"]
            for least, entry in self.scores["thresholds"][EUCLIDEAN].items()
            if entry["utility"] is not None
        }
        if not found:
            return ""
        best = max(found, key=lambda least: found[least])
        ours = f"{self.scores['declared']['ρ_min']:g}"
        chosen = [
            f"{e['thresholds'][EUCLIDEAN]['least']:g}"
            for e in self.scores["cross-fitted"]
            if e.get("thresholds", {}).get(EUCLIDEAN, {}).get("least") is not None
        ]
        text = f"The utility is largest at {best} ({found[best]:.2f})"
        if best != ours:
            text += f"; at {ours}, the audit's own, it is {found[ours]:.2f}"
        if chosen:
            text += f". The halves choose {' and '.join(chosen)}"
        return text + "."

    def _verdicts(self) -> str:
        entry = self.scores["verdicts"][f"transports: {DECLARED}"]
        least = self.scores["declared"]["ρ_min"]
        return (
            f"The answers of the audit as it is (Euclidean ρ, ρ_min = {least:g}, 32 pairs), "
            f"against every truth. Against transfer above {CUT:g} % it decides "
            f"{tables.share(entry['decided'])} of the elements, and of these "
            f"{tables.share(entry['wrong if decided'])} wrongly. ρ_min was set with these "
            "models in sight; what a threshold does to families that it has not seen stands above, "
            "with the halves and with other tasks."
        )

    def _samples(self) -> str:
        return (
            "The default verdict with so many pairs of gradients, against transfer above "
            f"{CUT:g} %."
        )

    def _controls(self) -> str:
        rows = self.scores["without skill"]
        wrong = self.scores["wrong action"]
        given = sum(row[axis][a] for row in rows for axis in GOALS for a in ("yes", "no"))
        asked = sum(sum(row[axis].values()) for row in rows for axis in GOALS)
        text = (
            f"Of models without skill {given} of {asked} answers were given; all must be "
            "undetermined. Their T, K and ρ show why: a constant holds exactly."
        )
        if wrong:
            counts = {
                axis: (
                    sum(r[axis]["yes"] for r in wrong),
                    sum(sum(r[axis].values()) for r in wrong),
                )
                for axis in GOALS
            }
            text += (
                " Under a deliberately wrong action, which the precheck refuses and which was "
                f"forced, *holds* is a false yes in {counts['holds'][0]} of {counts['holds'][1]} "
                f"answers, *transports* in {counts['transports'][0]} of {counts['transports'][1]}."
            )
            if counts["transports"][0] > 0.05 * counts["transports"][1]:
                text += (
                    " So ρ does not tell a wrong action from a right one, as gradients share what "
                    "a sample keeps under both; T and the precheck do."
                )
        return text

    def _free_path(self) -> str:
        ranks = {
            key: [e["rank"][key] for e in self.scores["free path"].values() if key in e["rank"]]
            for key in ("ρ", "T", "error")
        }
        said = [f"{key} {_between(found)}" for key, found in ranks.items() if found]
        return (
            "f + ε h, f equivariant and h free, trained on biased data; medians over elements. "
            "Rank correlation with ε over the tasks: " + (", ".join(said) or "not known") + "."
        )

    def _failures(self) -> str:
        rows = self.scores["failures"]
        count = {axis: sum(r["axis"] == axis for r in rows) for axis in GOALS}
        said = {
            answer: sum((r["axis"], r["said"]) == ("transports", answer) for r in rows)
            for answer in ("yes", "no")
        }
        models = {r["model"] for r in rows if r["axis"] == "transports"}
        tasks = []
        for task in self.scores["tasks"]:
            entry = self.scores["verdicts"][f"transports: within {task}"]
            tasks.append(f"{task} {tables.share(entry['wrong if decided'])}")
        return (
            f"Answers that are wrong by the declared truth: {count['holds']} of *holds*, "
            f"{count['transports']} of *transports* in {len(models)} models ({said['yes']} times "
            f"yes below {CUT:g} % of transfer, {said['no']} times no above it). Of the answers "
            f"given, wrong: {', '.join(tasks)}. The worst first."
        )

    def _score(
        self, axis: str, measure: str, truth: str, key: tuple[str, str]
    ) -> Sequence[float | None]:
        row = tables.found(
            self.scores, axis=axis, measure=measure, truth=truth, metric=key[0], statistic=key[1]
        )
        found: Sequence[float | None] = row.get("value", [None, None, None])
        return found

    def _section(
        self, title: str, name: str, text: str, figure: tuple[str, str] | None = None
    ) -> list[str]:
        return [f"## {title}", "", *self._body(name, text, figure)]

    def _sub(
        self, title: str, name: str, text: str, figure: tuple[str, str] | None = None
    ) -> list[str]:
        return [f"### {title}", "", *self._body(name, text, figure)]

    def _body(self, name: str, text: str, figure: tuple[str, str] | None) -> list[str]:
        lines = [text, ""] if text else []
        if figure is not None:
            lines += [f"![{figure[1]}]({self.images.as_posix()}/{figure[0]}.svg)", ""]
        command = f"    python -m benchmarks.validity.scores {name}"
        return [*lines, tables.tables(self.scores, name), "", command, ""]


_SCATTER = ("scatter", "Transfer against ρ, raw cosine and forward loss ratio")
_METRICS = ("metrics", "Rank correlation with transfer by metric and statistic")
_OPERATING = ("operating", "The verdict over the threshold and over the number of pairs")
_FREE = ("free-path", "ρ, T and transfer as the free path grows")


def included(path: Path, docs: Path, images: Path) -> list[str]:
    """A section that others wrote, its headings below ours, its figures beside ours."""
    if not path.exists():
        return ["Not measured yet."]
    text = path.read_text(encoding="utf-8")
    levels = [len(found) for found in re.findall(r"^(#+) ", text, re.MULTILINE)]
    lines = text.strip().splitlines()
    if lines and levels and re.match(r"#+ ", lines[0]) and levels.count(min(levels)) == 1:
        # Its title; ours stands in its place.
        levels.remove(min(levels))
        lines = lines[1:]
    shift = 3 - min(levels, default=3)
    lines = [
        re.sub(r"^(#+) ", lambda m: "#" * (len(m[1]) + shift) + " ", line)
        for line in lines
        if not line.startswith("<!--")
    ]
    text = "\n".join(lines).strip()
    for name in set(re.findall(r"\]\(([\w-]+\.svg)\)", text)):
        if (path.parent / name).exists():
            (docs / images).mkdir(parents=True, exist_ok=True)
            copyfile(path.parent / name, docs / images / name)
            text = text.replace(f"]({name})", f"]({images.as_posix()}/{name})")
    return [text]


def _between(values: Sequence[float]) -> str:
    """One number, or the range."""
    low, high = (f"{v:.2f}".replace("-", "−") for v in (min(values), max(values)))
    return low if low == high else f"between {low} and {high}"


def _compared(advantage: Sequence[float | None]) -> str:
    """Of a difference with its interval."""
    _, low, high = advantage
    if low is not None and low > 0:
        return "better than"
    return "less well than" if high is not None and high < 0 else "no better and no worse than"
