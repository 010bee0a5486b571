"""Versions of what numbers depend on."""

import platform
from importlib.metadata import version


def versions() -> dict[str, str]:
    """Of goldstone, torch, numpy, scipy and Python, by name."""
    found = {name: version(name) for name in ("goldstone", "torch", "numpy", "scipy")}
    return found | {"python": platform.python_version()}
