import io

import pytest
from rich.console import Console

from goldstone.cli import progress
from goldstone.cli.progress import RichProgress


def test_short_work_leaves_no_trace_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with RichProgress().task("quick", 2) as task:
        task.advance()
        task.advance(1, "a note")
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_long_work_writes_lines_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with RichProgress().task("training [unet]", 30) as task:
        for step in range(3):
            task.advance(10, f"loss {step}")
    captured = capsys.readouterr()
    assert captured.out == ""
    first, last = captured.err.splitlines()
    assert first == "training [unet]: 20/30, loss 1"
    assert last.startswith("training [unet]: done in ")


def test_bars_in_a_terminal_nest_and_close(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    shown = RichProgress()
    monkeypatch.setattr(shown, "_console", Console(file=screen, force_terminal=True, width=100))
    with shown.task("outer [1]", 2) as outer, shown.task("inner", 3) as inner:
        inner.advance(3, "note [x]")
        outer.advance()
    assert shown._bars is None
    assert "outer [1]" in screen.getvalue()


def test_bars_close_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = RichProgress()
    monkeypatch.setattr(shown, "_console", Console(file=io.StringIO(), force_terminal=True))
    with pytest.raises(ZeroDivisionError), shown.task("work", 2):
        raise ZeroDivisionError
    assert shown._bars is None
