"""In an environment with the core's dependencies alone: import, audit, and ask for every extra."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import torch

import goldstone
from goldstone.actions import NAVIER_STOKES_FIELDS, flow_symmetry
from goldstone.auditing import AuditSettings
from goldstone.core import MissingExtraError, require
from goldstone.report import write_report


def expect(condition: bool, message: str) -> None:
    """Exit with ``message`` unless the condition holds."""
    if not condition:
        sys.exit(f"wheel check: {message}")


# torch brings jinja2.
for package in ("typer", "rich", "matplotlib", "h5py", "neuralop", "pytest"):
    expect(find_spec(package) is None, f"{package} came with the core")
expect("site-packages" in goldstone.__file__, f"imported from {goldstone.__file__}")

torch.manual_seed(0)
inputs = torch.randn(8, 2, 8, 8)
model = torch.nn.Conv2d(2, 2, 3, padding="same", padding_mode="circular", bias=False)
result = goldstone.audit(
    model,
    (inputs, inputs.roll(1, -1)),
    flow_symmetry("d4", NAVIER_STOKES_FIELDS, (8, 8)),
    settings=AuditSettings(samples=6, reference=2, snapshots=1, bootstrap=50, permutations=50),
)
expect(len(result.elements) == 8, f"expected 8 elements of D4, got {len(result.elements)}")

with tempfile.TemporaryDirectory() as folder:
    result.save(folder)
    expect((Path(folder) / "audit.json").is_file(), "no audit.json was saved")
    try:
        write_report(folder)
    except MissingExtraError as error:
        expect("goldstone[report]" in str(error), f"the report's error names no extra: {error}")
    else:
        sys.exit("wheel check: a report was written without the report's packages")

for module, extra in (("h5py", "hdf5"), ("neuralop", "neuraloperator")):
    try:
        require(module, extra)
    except MissingExtraError as error:
        expect(f"goldstone[{extra}]" in str(error), f"{error} names no extra")

command = subprocess.run(
    [Path(sys.executable).with_name("goldstone"), "--help"],
    capture_output=True,
    text=True,
    check=False,
)
expect(command.returncode == 2, f"goldstone without its extra exits {command.returncode}, not 2")
expect("goldstone[cli]" in command.stderr, f"goldstone names no extra: {command.stderr}")
expect("Traceback" not in command.stderr, f"goldstone shows a traceback:\n{command.stderr}")
print("wheel: core audit runs, and every missing extra is named")
