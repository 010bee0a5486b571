"""The code blocks of README.md and docs/ run.

Blocks of one page run in their order, in an empty folder. ``python`` blocks share one namespace.
Shell blocks (``bash``, ``sh``, ``console``) run where they call ``goldstone``; of a ``console``
block only the lines after ``$``. A fence that says ``no-run`` after the language is left out.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)$")
SHELLS = ("bash", "sh", "console")


@dataclass(frozen=True)
class Block:
    """One fenced block that runs; ``line`` is that of its first code line."""

    language: str
    code: str
    line: int


def code_blocks(text: str) -> list[Block]:
    blocks, opened, lines = [], None, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and opened is None:
            opened, lines = (fence["info"].split(), len(fence["indent"]), number + 1), []
        elif fence and opened is not None:
            words, _, first = opened
            code = "\n".join(lines) + "\n"
            opened = None
            if words and "no-run" not in words and runs(words[0], code):
                blocks.append(Block(words[0], shell_lines(words[0], code), first))
        elif opened is not None:
            lines.append(line[opened[1] :])
    assert opened is None, "a fence is left open"
    return blocks


def runs(language: str, code: str) -> bool:
    called = re.search(r"^(\$ )?(python -m )?goldstone\b", code, re.MULTILINE)
    return language == "python" or (language in SHELLS and called is not None)


def shell_lines(language: str, code: str) -> str:
    if language != "console":
        return code
    kept = [line[2:] for line in code.splitlines() if line.startswith(("$ ", "> "))]
    return "\n".join(kept) + "\n"


def run_page(page: Path, text: str, folder: Path) -> int:
    """Run the blocks of a page in ``folder``; how many ran."""
    namespace = {"__name__": "__main__"}
    blocks = code_blocks(text)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in blocks:
        if block.language == "python":
            # Empty lines before the code make line numbers those of the page.
            code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
            exec(code, namespace)
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.code],
            cwd=folder,
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (
            f"{page}:{block.line}: exit code {done.returncode} of\n{block.code}\n"
            f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
    return len(blocks)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page, page.read_text(encoding="utf-8"), tmp_path)


SAMPLE = """
# A page

```python
x = 40
```

```python no-run
raise SystemExit
```

```bash
rm -rf /nowhere-and-without-the-command
```

```bash
echo "made by the shell" > note.txt
printf '%s' done >> note.txt  # continued
goldstone() { echo "$@" > called.txt; }
goldstone audit --help
```

1. In a list:

   ```python
   def page():
       return open("note.txt").read()
   x += 2
   ```

```console
$ python -c 'print("goldstone")' > console.txt
some output that is no command
$ goldstone() { true; }
$ goldstone
```

```text
not code
```
"""


def test_blocks_are_found():
    blocks = code_blocks(SAMPLE)
    assert [b.language for b in blocks] == ["python", "bash", "python", "console"]
    assert blocks[0] == Block("python", "x = 40\n", 5)
    assert blocks[2].code.startswith("def page():\n    return")
    assert "some output" not in blocks[3].code


def test_blocks_share_a_namespace_and_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checks = '```python\nassert x == 42\nassert page().startswith("made by the shell")\n```\n'
    assert run_page(tmp_path / "page.md", SAMPLE + checks, tmp_path) == 5
    assert (tmp_path / "called.txt").read_text() == "audit --help\n"
    assert (tmp_path / "console.txt").read_text() == "goldstone\n"


def test_failures_name_the_page_and_line(tmp_path):
    page = tmp_path / "page.md"
    with pytest.raises(AssertionError, match=r"page\.md:3: exit code 3"):
        run_page(page, "\n```bash\ngoldstone() { return 3; }; goldstone\n```\n", tmp_path)
    with pytest.raises(ZeroDivisionError) as caught:
        run_page(page, "\n\n```python\na = 1\n1 / 0\n```\n", tmp_path)
    assert caught.traceback[-1].lineno + 1 == 5
    with pytest.raises(AssertionError, match="left open"):
        code_blocks("```python\nx = 1\n")
