"""Where in a network equivariance breaks: goldstone's errors by layer beside tmeasures.

    python benchmarks/forward_peers.py [--peers-python PYTHON] [--rounds 5]

PYTHON is the interpreter of an environment with this torch and tmeasures. Three U-Nets on scalar
periodic fields under D4: with kernels as initialised, with all kernels averaged over D4 (exactly
equivariant: the known answer), and with those of the decoders alone not averaged. For every
convolution, norm and activation goldstone gives ‖z(gx) − g z(x)‖/‖z(x)‖ and tmeasures the standard
deviation over the orbit of g⁻¹z(gx), over that of z over samples (normalised variance
same-equivariance). Both run in one process with one thread, in interleaved rounds.

Prints a table and writes benchmarks/results/forward_peers.json and .md.
"""

import argparse
import copy
import json
import sys
import warnings
from functools import cache
from pathlib import Path

import torch
from rounds import in_fresh_process, interleaved, machine, medians, ratios, shown
from scipy.stats import spearmanr
from torch import nn

from goldstone.actions import Context, Field, FieldLayout, flow_symmetry
from goldstone.auditing import equivariance_errors
from goldstone.systems.emulators import EmulatorConfig, build_emulator

HERE = Path(__file__).parent
GRID, SAMPLES = 32, 32
LAYOUT = FieldLayout((Field("a", "scalar"), Field("b", "scalar")))
U_NET = {"base_channels": 12, "stages": 2, "blocks_per_stage": 1, "attention": False}
ROUNDING = 1e-4
"""Below it a layer counts as equivariant."""


def networks():
    config = EmulatorConfig("unet", LAYOUT, (GRID, GRID), U_NET)
    plain = build_emulator(config, seed=0).eval().network
    return {
        "as initialised": plain,
        "averaged": averaged(plain, lambda _: True),
        "averaged but for the decoders": averaged(plain, lambda name: "decoders" not in name),
    }


def averaged(network, chosen):
    """With the kernels of the chosen convolutions averaged over D4."""
    network = copy.deepcopy(network)
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d) and chosen(name):
                w = module.weight
                turned = [torch.rot90(v, k, (-2, -1)) for v in (w, w.flip(-1)) for k in range(4)]
                module.weight.copy_(torch.stack(turned).mean(0))
    return network


def layer_names(network):
    kinds = (nn.Conv2d, nn.GroupNorm, nn.SiLU)
    return [name for name, m in network.named_modules() if isinstance(m, kinds)]


def goldstone(network, inputs, symmetry):
    elements = list(symmetry.group.elements())

    def work():
        found = equivariance_errors(
            network, inputs, symmetry, elements[1:], layers=layer_names(network), batch=SAMPLES
        )
        return [
            sum(e.layers[name].estimate for e in found.elements) / len(found.elements)
            for name in layer_names(network)
        ]

    return work


def peer(network, inputs, symmetry):
    import tmeasures
    from tmeasures.pytorch import (
        AutoActivationsModule,
        NormalizedVarianceSameEquivariance,
        PyTorchMeasureOptions,
        PyTorchTransformationSet,
    )

    @cache
    def action(channels, grid):
        layout = FieldLayout(tuple(Field(f"z{i}", "scalar") for i in range(channels)))
        return flow_symmetry("D4", layout, grid).on_input

    class Moved(tmeasures.InvertibleTransformation):
        """One element's action on one sample."""

        def __init__(self, element):
            self.element = element

        def __call__(self, x):
            moves = action(len(x), tuple(x.shape[-2:]))
            return moves.act(self.element, x[None], Context())[0]

        def inverse(self):
            return Moved(symmetry.group.inverse(self.element))

    network = copy.deepcopy(network)
    wanted = [dict(network.named_modules())[name] for name in layer_names(network)]
    module = AutoActivationsModule(network, filter=lambda m: any(m is w for w in wanted))
    moves = PyTorchTransformationSet([Moved(g) for g in symmetry.group.elements()])
    options = PyTorchMeasureOptions(batch_size=SAMPLES, verbose=False)
    measure = NormalizedVarianceSameEquivariance()

    def work():
        result = measure.eval(inputs, moves, module, options)
        values = {
            id(m): float(v.mean()) for m, v in zip(module.activations, result.layers, strict=True)
        }
        return [values[id(w)] for w in wanted]

    return work


def worker(rounds):
    symmetry = flow_symmetry("D4", LAYOUT, (GRID, GRID))
    inputs = torch.randn(SAMPLES, 2, GRID, GRID, generator=torch.Generator().manual_seed(0))
    facts = {"rounds": rounds, "before": machine(), "networks": {}}
    for name, network in networks().items():
        works = {"goldstone": goldstone(network, inputs, symmetry)}
        try:
            works["tmeasures"] = peer(network, inputs, symmetry)
        except ImportError as error:
            print(f"tmeasures is not installed ({error}): left out", file=sys.stderr)
        times, found = interleaved(works, rounds)
        entry = {"layers": dict(zip(layer_names(network), found["goldstone"], strict=True))}
        entry |= {"seconds": medians(times), "ratio": ratios(times, "goldstone")}
        entry["broken"] = {
            who: [n for n, v in zip(layer_names(network), values, strict=True) if v > ROUNDING]
            for who, values in found.items()
        }
        if "tmeasures" in found:
            entry["tmeasures"] = dict(zip(layer_names(network), found["tmeasures"], strict=True))
            order = spearmanr(found["goldstone"], found["tmeasures"])
            entry["rank correlation"] = float(order.statistic)
        facts["networks"][name] = entry
    return facts | {"after": machine()}


def write(facts):
    columns = ("network", "layers", "broken, goldstone", "broken, tmeasures", "the same layers")
    columns += ("rank correlation", "tmeasures/goldstone, processor", "wall")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, e in facts["networks"].items():
        broken = e["broken"]
        cells = [name, len(e["layers"]), len(broken["goldstone"])]
        if "tmeasures" in e:
            cells += [len(broken["tmeasures"]), broken["goldstone"] == broken["tmeasures"]]
            cells += [f"{e['rank correlation']:.2f}", shown(e["ratio"]["cpu"]["tmeasures"])]
            cells += [shown(e["ratio"]["wall"]["tmeasures"])]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    text = (
        f"# {__doc__.splitlines()[0]}\n\n{SAMPLES} samples on {GRID}×{GRID}, {facts['rounds']} "
        f"interleaved rounds, one thread, load {facts['after']['load'][0]} on "
        f"{facts['after']['cores']} cores; a layer counts as broken above {ROUNDING:g}.\n\n"
    )
    text += "\n".join(lines) + "\n"
    print(text)
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / "forward_peers.md").write_text(text)
    (folder / "forward_peers.json").write_text(json.dumps(facts, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers-python", default=sys.executable, help="a Python with tmeasures")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if chosen.worker:
        print(json.dumps(worker(chosen.rounds)))
        return
    options = ["--worker", "--rounds", chosen.rounds]
    source = HERE.parent / "src"
    output = in_fresh_process(__file__, *options, python=chosen.peers_python, path=source)
    write(json.loads(output.splitlines()[-1]))


if __name__ == "__main__":
    main()
