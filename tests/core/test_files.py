"""Files are the old one or the new one, never half of each."""

import os
import signal
import subprocess
import sys

import pytest

from goldstone.core import replacing


def test_replacing_writes_the_new_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "deep" / "data.npz"
    with replacing(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".npz"
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_an_exception_keeps_the_old_file(tmp_path):
    target = tmp_path / "data.json"
    target.write_text("old")

    def write_half():
        with replacing(target) as temporary:
            temporary.write_text("ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_process_keeps_the_old_file(tmp_path):
    target = tmp_path / "data.json"
    target.write_text("old")
    script = """
import sys, time
from goldstone.core.files import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("ne")
    print("half", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(target)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    assert target.read_text() == "old"
    with replacing(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"
