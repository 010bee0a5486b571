"""The package as a whole: exports, typing marker, docstrings, lean imports."""

import importlib
import pkgutil
import subprocess
import sys
from importlib import resources
from importlib.metadata import metadata, version

import pytest

import goldstone

PACKAGES = sorted(
    module.name
    for module in pkgutil.walk_packages(goldstone.__path__, "goldstone.")
    if module.ispkg and not module.name.startswith("goldstone.cli")
)


@pytest.mark.parametrize("name", PACKAGES)
def test_export_lists_are_complete_sorted_and_documented(name):
    package = importlib.import_module(name)
    assert package.__doc__
    exported = getattr(package, "__all__", [])
    assert len(set(exported)) == len(exported)
    for public in exported:
        value = getattr(package, public)
        if callable(value) and getattr(value, "__module__", "").startswith("goldstone"):
            assert value.__doc__, f"{name}.{public} has no docstring"


def test_importing_needs_no_optional_package():
    """With every optional dependency blocked, all floors below the command line import."""
    script = """
import importlib, sys
for blocked in ("typer", "rich", "jinja2", "matplotlib", "h5py", "neuralop", "pytest"):
    sys.modules[blocked] = None
for name in sys.argv[1:]:
    importlib.import_module(name)
"""
    run = subprocess.run(
        [sys.executable, "-c", script, "goldstone", *PACKAGES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_importing_the_package_imports_no_scipy():
    """Its parts take longer to import than goldstone, which imports them where they are used."""
    script = "import goldstone, sys; sys.exit(any(m.startswith('scipy') for m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert run.returncode == 0


def test_the_package_is_typed_and_has_metadata():
    assert (resources.files("goldstone") / "py.typed").is_file()
    assert version("goldstone") == "0.1.0"
    assert metadata("goldstone")["License-Expression"] == "MIT"
    extras = metadata("goldstone").get_all("Provides-Extra")
    assert {"cli", "report", "hdf5", "neuraloperator", "all"} <= set(extras)
    needed = [r for r in metadata("goldstone").get_all("Requires-Dist") if "extra ==" not in r]
    names = {r.split(">")[0].split("=")[0].strip() for r in needed}
    assert names == {"torch", "numpy", "scipy", "safetensors"}
