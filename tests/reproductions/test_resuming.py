"""A run that was killed hard goes on from what it had finished."""

import os
import signal
import subprocess
import sys
import time

RUN = """
import sys, time
from pathlib import Path
from goldstone.reproductions import Kept

folder = Path(sys.argv[1])
kept = Kept(folder, {"size": 1})

def make(name, seconds):
    with (folder / "log").open("a") as log:
        log.write(name + "\\n")
    time.sleep(seconds)
    return {"name": name}

kept.measure("first", lambda: make("first", 0))
kept.measure("second", lambda: make("second", float(sys.argv[2])))
"""


def test_kill(tmp_path):
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    run = subprocess.Popen([*command, "600"])
    deadline = time.monotonic() + 120
    log = tmp_path / "log"
    while not (log.exists() and "second" in log.read_text()):
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert (tmp_path / "first.json").exists()
    assert not (tmp_path / "second.json").exists()
    subprocess.run([*command, "0"], check=True)
    assert log.read_text().split() == ["first", "second", "second"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "first.json",
        "log",
        "second.json",
        "settings.json",
    ]
