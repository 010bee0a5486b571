"""What ``goldstone align`` shows: a table and a plot."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goldstone.cli.align_run import Aligned
from goldstone.core import Statistic
from goldstone.report.marks import MUTED, SERIES
from goldstone.report.svg import Axes, inline_svg

WIDTH, HEIGHT = 480, 340
_NAMES = {"straight": "B as given", "aligned": "B moved", "curve": "curve to B moved"}


def show_alignment(console: Console, found: Aligned) -> None:
    """The symmetries used, distances and barriers; 80 columns are enough."""
    groups = ", ".join(sorted({one.kind for one, _ in found.alignment.steps})) or "nothing"
    rounds = found.alignment.rounds
    console.print(escape(f"moved by: {groups}; {rounds} round{'' if rounds == 1 else 's'}"))
    console.print(
        f"distance ‖A − B‖: {found.alignment.distance_before:.4g} → {found.alignment.distance:.4g};"
        f" outputs of B changed by {found.change:.1e} of their size",
        soft_wrap=True,
    )
    table = Table(title="loss between the networks")
    table.add_column("path from A to")
    for heading in ("loss of A", "highest loss", "at t", "barrier", "95 %"):
        table.add_column(heading, justify="right")
    for name, path in found.paths.items():
        losses = [one.estimate or 0.0 for one in path.losses]
        barrier = path.barrier
        table.add_row(
            _NAMES[name],
            f"{losses[0]:.4g}",
            f"{max(losses):.4g}",
            f"{path.highest:.2f}",
            f"{barrier.estimate or 0.0:.4g}",
            _interval(barrier),
        )
    console.print(table)
    if found.paths["aligned"].reset:
        console.print("[dim]running statistics of BatchNorm were reset at every point[/]")


def _interval(x: Statistic) -> str:
    if x.low is None or x.high is None:
        return "–"
    return f"{x.low:.3g} … {x.high:.3g}"


def barrier_svg(found: Aligned) -> str:
    """The loss along every path, with its band, as an SVG file.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """

    def draw(axes: Axes) -> None:
        axes.set_title("Loss between A (t = 0) and B (t = 1)")
        axes.set_xlabel("t")
        axes.set_ylabel("mean loss")
        for colour, (name, path) in zip(SERIES, found.paths.items(), strict=False):
            losses = [one.estimate for one in path.losses]
            axes.plot(path.positions, losses, color=colour, linewidth=1.6, label=_NAMES[name])
            axes.fill_between(
                path.positions,
                [one.low for one in path.losses],
                [one.high for one in path.losses],
                color=colour,
                alpha=0.18,
                linewidth=0,
            )
        straight = found.paths["straight"].losses
        ends = [straight[0].estimate, straight[-1].estimate]
        axes.plot([0, 1], ends, color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
        axes.legend(frameon=False)

    words = ", ".join(
        f"{_NAMES[name]} {path.barrier.estimate or 0.0:.3g}" for name, path in found.paths.items()
    )
    description = f"Loss along the paths from A to B; barriers: {words}"
    drawing = inline_svg("barrier", description, draw, WIDTH, HEIGHT)
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    # On a page the style of the page holds; a file of its own brings ground and letters along.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="system-ui, sans-serif"><rect {size} fill="#ffffff"/>{drawing}</svg>\n'
    )
