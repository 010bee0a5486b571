"""Write docs/layers.md: what each layer keeps and where it runs, from the tests' catalogue.

    python docs/make_layers.py

Every cell is what tests/nn/contract checks: a layer is said to do what its tests pass, and not to
do what they show to fail.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.nn.contract.catalogue import SECTIONS  # noqa: E402
from tests.nn.contract.entry import Entry  # noqa: E402

PAGE = Path(__file__).parent / "layers.md"
HEAD = """# Layers: what each keeps and how far it travels

The layers of `goldstone.nn` and `goldstone.nn.gauge`, with the groups they keep, their shapes, and
where they run. This page is made by `python docs/make_layers.py` from the catalogue that the tests
run: each yes is a test that passes, and each no one that fails as it should.

What holds for all of them, and is tested for each:

- **Equivariance** by `goldstone.testing`: to 1e-5 of the output's norm in float32 and to 1e-11 in
  float64, with weights that are not those of the start, in training and in evaluation. Where the
  symmetry itself is not exact on a grid, the table says what is.
- **Precision**: derivatives that agree with differences; a gradient for every parameter; from
  float32 to float64 and back without loss; mixed precision (AMP) of bfloat16 and float16, forward
  and backward, within a few percent; `.to(torch.bfloat16)` for all that is real.
- **Copies**: `deepcopy`, `pickle` and `torch.load(weights_only=True)`; one `state_dict` for
  training and evaluation, which holds weights and running statistics alone; `device=` and `dtype=`
  by keyword, the device `meta` too; weights drawn by `reset_parameters(generator)`.
- **Inputs**: batches of any size, none included; memory in any order, such as channels last; wrong
  shapes are refused with what was expected and what came.

The columns: **AMP** `torch.autocast`; **compile** `torch.compile(fullgraph=True)`; **export**
`torch.export` for batches of any size; **ONNX** `torch.onnx.export` and the same output in
onnxruntime; **plain** whether `to_plain` folds it into ordinary layers of torch with the same
output.
"""
COLUMNS = ("autocast", "compile", "export", "onnx")
MARKS = "¹²³⁴⁵⁶⁷⁸⁹"


def page() -> str:
    """The whole page."""
    return HEAD + "".join(section(title, entries) for title, entries in SECTIONS.items())


def section(title: str, entries: tuple[Entry, ...]) -> str:
    """One family of layers, and the reasons for what it does not do."""
    reasons: list[str] = []
    rows = "".join(row(entry, reasons) for entry in entries)
    notes = "".join(
        f"\n{MARKS[k]} {reason[0].upper()}{reason[1:]}.  " for k, reason in enumerate(reasons)
    )
    head = "| layer | keeps | shapes | exact | AMP | compile | export | ONNX | plain |\n"
    return f"\n## {title}\n\n{head}|{'---|' * 9}\n{rows}" + (f"{notes.rstrip()}\n" if notes else "")


def row(entry: Entry, reasons: list[str]) -> str:
    """One layer; reasons that are new are added to the list."""
    shapes = f"`{entry.shapes}`" if "→" in entry.shapes else entry.shapes
    cells = [f"`{entry.layer.__name__}`", entry.keeps, shapes, exactness(entry)]
    for column in COLUMNS:
        reason = entry.unable.get(column)
        if reason is not None and reason not in reasons:
            reasons.append(reason)
        cells.append("yes" if reason is None else f"no{MARKS[reasons.index(reason)]}")
    cells.append("yes" if hasattr(entry.layer, "to_plain") else "–")
    return f"| {' | '.join(cells)} |\n"


def exactness(entry: Entry) -> str:
    """What is exact, and the bound of the error of what is not."""
    return f"{entry.exact}: below {entry.at_most:g}" if entry.measured else entry.exact


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
