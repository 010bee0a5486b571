import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(280)
def test_the_quick_zoo_gets_the_answers_that_are_known():
    pytest.importorskip("sklearn")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.validity", "--quick"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=270,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("as it must be") == 8
