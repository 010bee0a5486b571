"""One library's convolutional networks: answers commands from standard input, see the benchmark.

``python equivariant_convolution_worker.py goldstone|escnn``; it imports nothing else of this
repository, so that it runs in the other library's environment.
"""

import copy
import json
import sys
import time
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn


def plain(channels, size):
    widths = [1, *channels]
    layers = []
    for a, b in pairwise(widths):
        layers += [nn.Conv2d(a, b, size, padding=size // 2), nn.ReLU()]
    return nn.Sequential(*layers)


def of_goldstone(name, channels, size):
    from goldstone.groups import group_named
    from goldstone.nn import GroupConv2d, LiftingConv2d

    group = group_named(name)
    fields = [c // group.order for c in channels]
    options = {"padding_mode": "zeros"}
    layers = [LiftingConv2d(group, 1, fields[0], size, **options), nn.ReLU()]
    for a, b in pairwise(fields):
        layers += [GroupConv2d(group, a, b, size, **options), nn.ReLU()]
    return nn.Sequential(*layers), nn.Sequential(*layers)


def of_escnn(name, channels, size):
    from escnn import gspaces
    from escnn import nn as enn

    n = int(name[1:])
    space = gspaces.rot2dOnR2(n) if name[0] == "C" else gspaces.flipRot2dOnR2(n)
    order = n if name[0] == "C" else 2 * n
    regular = space.regular_repr
    types = [enn.FieldType(space, [space.trivial_repr])]
    types += [enn.FieldType(space, c // order * [regular]) for c in channels]
    layers = []
    for a, b in pairwise(types):
        layers += [enn.R2Conv(a, b, size, padding=size // 2), enn.ReLU(b)]
    network = enn.SequentialModule(*layers)

    class FromTensor(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, x):
            return self.network(enn.GeometricTensor(x, types[0])).tensor

    return FromTensor(), network


def folded(library, network):
    if library == "goldstone":
        from goldstone.nn import to_plain

        return to_plain(network)
    return network.eval().export()


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def resident():
    """Resident memory of this process in bytes (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


class Worker:
    """Networks by name, and what a command does with one."""

    def __init__(self, library):
        self.library = library
        self.networks, self.inner, self.folded = {}, {}, {}
        if library == "goldstone":
            import goldstone.nn  # noqa: F401
        else:
            import escnn.nn  # noqa: F401

    def build(self, name, group, channels, size):
        make = {"goldstone": of_goldstone, "escnn": of_escnn}[self.library]
        torch.manual_seed(0)
        start = time.process_time()
        if group is None:
            network = plain(channels, size)
        else:
            network, inner = make(group, channels, size)
        seconds = time.process_time() - start
        self.networks[name] = network
        if group is not None:
            self.inner[name] = inner
        return {"cpu_s": seconds, "parameters": parameters(network)}

    def fold(self, name):
        # Of a copy: folding may leave the network in eval mode.
        self.folded[name] = folded(self.library, copy.deepcopy(self.inner[name])).eval()
        return {}

    def drop(self, name):
        self.networks.pop(name)
        self.inner.pop(name, None)
        return {}

    def step(self, name, batch, side):
        x = self.input(batch, side)
        network = self.networks[name].train()
        return self.timed(lambda: network(x).square().mean().backward())

    def evaluate(self, name, batch, side):
        x = self.input(batch, side)
        network = self.networks[name].eval()
        with torch.no_grad():
            return self.timed(lambda: network(x))

    def evaluate_folded(self, name, batch, side):
        x = self.input(batch, side)
        network = self.folded.get(name, self.networks[name]).eval()
        with torch.no_grad():
            return self.timed(lambda: network(x))

    def input(self, batch, side):
        return torch.randn(batch, 1, side, side, generator=torch.Generator().manual_seed(0))

    def timed(self, work):
        start = time.process_time()
        work()
        return {"cpu_s": time.process_time() - start}

    def memory(self):
        return {"resident_bytes": resident()}


def main():
    torch.set_num_threads(1)
    worker = Worker(sys.argv[1])
    answers = sys.stdout
    sys.stdout = sys.stderr  # What libraries print is no answer.
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        print(json.dumps(getattr(worker, command)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main()
