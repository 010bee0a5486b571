"""What was measured, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldstone.reproductions.asymmetric_networks.sizes import ALIGNED, Sizes

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """All measurements: names are as ``digits-standard-0``."""

    sizes: Sizes
    values: Mapping[str, Mapping[str, Any]]

    def runs(self, *parts: str | int) -> list[Mapping[str, Any]]:
        """Those of some name, whatever the last part, which counts them."""
        start = "-".join(map(str, parts)) + "-"
        return [one for name, one in self.values.items() if name.rpartition("-")[0] + "-" == start]

    def has(self, data: str) -> bool:
        """Whether anything was measured on some data."""
        return any(name.startswith(f"{data}-") for name in self.values)

    def lines(self, data: str, arm: str) -> list[Line]:
        """The straight lines between the networks of each pair."""
        if arm == ALIGNED:
            return [one["aligned"] for one in self.runs(data, "standard")]
        return [one["direct"] for one in self.runs(data, arm)]

    def barriers(self, data: str, arm: str) -> list[float]:
        """The highest rise of the test loss above the chord, of each pair."""
        return [float(line["barrier"]) for line in self.lines(data, arm)]
