"""What a library's worker does with networks: commands from standard input, answers to output.

It imports nothing of this repository, so that it runs in the environments of other libraries. A
worker script gives :func:`serve` a function that makes a :class:`Case` of a description.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


@dataclass
class Case:
    """A network and all that is done with it.

    Attributes:
        network: takes ``inputs``.
        inputs: makes its inputs; called once.
        fold: makes an ordinary network of ``foldable`` in eval mode, or None.
        foldable: what is folded; the network if None.
        error: measures its error of equivariance, or None.
        facts: numbers to be told when it is built.
    """

    network: nn.Module
    inputs: Callable[[], tuple[Tensor, ...]]
    fold: Callable[[nn.Module], nn.Module] | None = None
    foldable: nn.Module | None = None
    error: Callable[[], dict[str, float]] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Worker:
    """Cases by name. Every public method is a command; its answer is a dictionary."""

    def __init__(self, make: Callable[..., Case]) -> None:
        self.make = make
        self.cases: dict[str, Case] = {}
        self.inputs: dict[str, tuple[Tensor, ...]] = {}
        self.folded: dict[str, nn.Module] = {}

    def build(self, name: str, description: dict[str, Any]) -> dict[str, Any]:
        torch.manual_seed(0)
        start = time.process_time()
        case = self.make(**description)
        seconds = time.process_time() - start
        self.cases[name], self.inputs[name] = case, case.inputs()
        count = sum(p.numel() for p in case.network.parameters())
        return {"cpu_s": seconds, "parameters": count, **case.facts}

    def fold(self, name: str) -> dict[str, Any]:
        case = self.cases[name]
        if case.fold is None:
            self.folded[name] = case.network
        else:
            self.folded[name] = case.fold((case.foldable or case.network).eval())
        return {}

    def drop(self, name: str) -> dict[str, Any]:
        for kept in (self.cases, self.inputs, self.folded):
            kept.pop(name, None)
        return {}

    def step(self, name: str) -> dict[str, Any]:
        network, inputs = self.cases[name].network.train(), self.inputs[name]
        return timed(lambda: network(*inputs).square().mean().backward())

    def evaluate(self, name: str) -> dict[str, Any]:
        network, inputs = self.cases[name].network.eval(), self.inputs[name]
        with torch.no_grad():
            return timed(lambda: network(*inputs))

    def evaluate_folded(self, name: str) -> dict[str, Any]:
        network, inputs = self.folded[name].eval(), self.inputs[name]
        with torch.no_grad():
            return timed(lambda: network(*inputs))

    def error(self, name: str) -> dict[str, Any]:
        measure = self.cases[name].error
        if measure is None:
            raise ValueError(f"{name} has no error of equivariance")
        with torch.no_grad():
            return measure()

    def peak(self, name: str, kind: str, repeats: int) -> dict[str, Any]:
        """The largest resident memory while a command runs, beyond that before it was built."""
        forget_peak()
        for _ in range(repeats):
            getattr(self, kind)(name)
        return {"bytes": status("VmHWM") - self.before}

    def start(self) -> dict[str, Any]:
        """Take the present memory as that before anything was built."""
        self.before = status("VmRSS")
        return {"bytes": self.before}


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    start = time.process_time()
    work()
    return {"cpu_s": time.process_time() - start}


def status(name: str) -> int:
    """A number of bytes from the status of this process (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(name)))


def forget_peak() -> None:
    """Let the peak of resident memory start again from what is resident now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def serve(make: Callable[..., Case], **commands: Callable[..., dict[str, Any]]) -> None:
    """Answer commands, one line of JSON each, until standard input ends."""
    torch.set_num_threads(1)
    worker = Worker(make)
    answers = sys.stdout
    sys.stdout = sys.stderr  # What libraries print is no answer.
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        answer = commands.get(command) or getattr(worker, command)
        print(json.dumps(answer(*arguments)), file=answers, flush=True)
