"""``goldstone demo --quick`` as a user runs it, and the answers that are known in advance."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from goldstone.auditing import AuditResult
from goldstone.core import to_json

for module in ("typer", "rich", "jinja2", "matplotlib"):
    pytest.importorskip(module, reason="the demo needs goldstone[cli,report]")

NAMES = ("unet-anisotropic", "unet-isotropic", "equivariant")
AXES = {"r²", "s", "sr²"}
QUARTERS = {"r", "r³", "sr", "sr³"}
D4 = AXES | QUARTERS


@dataclass(frozen=True)
class Demo:
    folder: Path
    told: dict[str, Any]
    audits: dict[str, AuditResult]
    kibibytes: int


def _goldstone(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "goldstone", *arguments], capture_output=True, text=True, timeout=900
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "out"
    outcome = _goldstone("demo", "--quick", "--json", "--out", str(folder))
    assert outcome.returncode == 0, outcome.stderr
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    audits = {name: AuditResult.load(folder / name) for name in NAMES}
    return Demo(folder, json.loads(outcome.stdout), audits, peak)


pytestmark = pytest.mark.timeout(900)


def test_writes_every_page(demo: Demo) -> None:
    for name in NAMES:
        for file in ("audit.json", "audit.npz", "audit.html"):
            assert (demo.folder / name / file).stat().st_size > 1000
    index = (demo.folder / "index.html").read_text()
    assert all(f"{name}/audit.html" in index for name in NAMES)
    assert demo.told["index"] == str(demo.folder / "index.html")
    assert set(demo.told["audits"]) == set(NAMES)
    for name in NAMES:
        assert demo.told["audits"][name] == to_json(demo.audits[name].verdict)


def test_is_a_symmetry_of_the_solver(demo: Demo) -> None:
    for audit in demo.audits.values():
        assert audit.precheck.status == "verified"
        assert max(check.violation for check in audit.precheck.ground_truth) < 1e-5


def test_every_emulator_has_skill(demo: Demo) -> None:
    for audit in demo.audits.values():
        assert audit.model.has_skill
        assert (audit.model.relative_error.estimate or 1.0) < 0.15


def test_anisotropic_flows_teach_the_subgroup_of_order_4(demo: Demo) -> None:
    audit = demo.audits["unet-anisotropic"]
    assert {e.name: e.holds for e in audit.elements if e.name != "e"} == {
        **dict.fromkeys(AXES, "yes"),
        **dict.fromkeys(QUARTERS, "no"),
    }
    # The loss grows at least threefold under quarter turns and diagonal reflections.
    assert all((audit.element(name).log_loss_ratio.low or 0.0) > 1.1 for name in QUARTERS)
    holds = audit.verdict.holds
    assert holds.answer == "no"
    for residual in (holds.residual_low, holds.residual_up):
        (subgroup,) = residual
        assert subgroup.order == 4
        assert set(subgroup.elements) == {"e", *AXES}
    assert [set(coset) for coset in holds.broken_cosets] == [QUARTERS]


def test_isotropic_flows_teach_all_of_d4(demo: Demo) -> None:
    holds = demo.audits["unet-isotropic"].verdict.holds
    assert holds.answer == "yes"
    assert [subgroup.order for subgroup in holds.residual_low] == [8]
    assert holds.broken_cosets == ()


def test_the_equivariant_emulator_is_exact_on_both_axes(demo: Demo) -> None:
    audit = demo.audits["equivariant"]
    for element in audit.elements:
        assert element.grade == "exact"
        for metric in ("euclidean", "galerkin"):
            for statistic in (element.pair_coherence[metric], element.orbit_coherence[metric]):
                assert statistic.estimate == pytest.approx(1.0, abs=1e-4)
    for axis in (audit.verdict.holds, audit.verdict.transports):
        assert axis.answer == "yes"
        assert [subgroup.order for subgroup in axis.residual_low] == [8]
    assert all(e.label == "internalised" for e in audit.elements if e.name in D4)


def test_the_equivariant_emulator_is_so_all_through_training(demo: Demo) -> None:
    for entry in demo.audits["equivariant"].history:
        for name in D4:
            assert entry.pair_coherence[name].estimate == pytest.approx(1.0, abs=1e-4)
            assert entry.orbit_coherence[name].estimate == pytest.approx(1.0, abs=1e-4)


def test_coherences_come_with_their_nulls(demo: Demo) -> None:
    for audit in demo.audits.values():
        for element in audit.elements:
            for metric in ("euclidean", "galerkin"):
                null = element.null[metric]
                assert None not in (null.estimate, null.low, null.high)
                assert 0.0 <= element.permutation_p.get(metric, 0.0) <= 1.0


def test_the_history_shows_what_training_breaks(demo: Demo) -> None:
    entries = demo.audits["unet-anisotropic"].history
    assert [entry.epoch for entry in entries] == [0, 1, 2, 3, 4]
    losses = [entry.loss.estimate or 0.0 for entry in entries]
    assert all(later < earlier for earlier, later in pairwise(losses))
    ratio = {n: [e.log_loss_ratio[n].estimate or 0.0 for e in entries] for n in D4}
    # Untrained it is indifferent to every element; trained it has lost the quarter turns alone.
    assert max(abs(ratio[name][0]) for name in D4) < 0.3
    assert min(ratio[name][-1] for name in QUARTERS) > 1.1
    assert max(abs(ratio[name][-1]) for name in AXES) < 0.1


def test_shifts_by_the_total_stride_are_exact(demo: Demo) -> None:
    for name in NAMES:
        audit = demo.audits[name]
        assert audit.shifts is not None
        assert audit.shifts.exact_period == (4, 4)
        steps = audit.arrays["shift_gradient_steps"]
        for key in ("shift_axis_pair_coherence", "shift_axis_orbit_coherence"):
            coherence = audit.arrays[key]
            multiple = steps % 4 == 0
            assert abs(coherence[:, multiple] - 1).max() < 1e-4
            assert coherence[:, ~multiple].max() < 1 - 1e-4


def test_controls_come_out_as_expected(demo: Demo) -> None:
    for audit in demo.audits.values():
        assert audit.controls
        assert all(control.as_expected for control in audit.controls)


def test_stays_in_memory(demo: Demo) -> None:
    assert demo.kibibytes < 3 * 1024**2


def test_again_it_is_finished_at_once_and_the_same(demo: Demo) -> None:
    written = {
        path: path.read_bytes() for name in NAMES for path in (demo.folder / name).glob("audit.*")
    }
    start = time.monotonic()
    outcome = _goldstone("demo", "--quick", "--out", str(demo.folder))
    assert outcome.returncode == 0
    assert all(name in outcome.stdout for name in NAMES)
    assert time.monotonic() - start < 60
    assert all(path.read_bytes() == content for path, content in written.items())


def test_another_demo_does_not_mix_with_it(demo: Demo) -> None:
    outcome = _goldstone("demo", "--quick", "--seed", "1", "--out", str(demo.folder))
    assert outcome.returncode == 2
    assert "another size or seed" in outcome.stderr


def test_goes_on_after_a_kill(demo: Demo, tmp_path: Path) -> None:
    # All but the last audit is there, and it is cut short once more on the way.
    folder = tmp_path / "out"
    shutil.copytree(demo.folder, folder)
    for file in (folder / "equivariant").glob("audit.*"):
        file.unlink()
    (folder / "index.html").unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "goldstone", "demo", "--quick", "--quiet", "--out", str(folder)],
        env=os.environ,
    )
    time.sleep(4)
    process.kill()
    process.wait()
    assert not (folder / "index.html").exists()
    outcome = _goldstone("demo", "--quick", "--quiet", "--out", str(folder))
    assert outcome.returncode == 0, outcome.stderr
    again = AuditResult.load(folder / "equivariant")
    assert again.elements == demo.audits["equivariant"].elements
    assert again.verdict == demo.audits["equivariant"].verdict
    assert (folder / "index.html").exists()
