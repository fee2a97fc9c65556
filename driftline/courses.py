"""Pictures of a replay as SVG, to stand in a page: losses over windows, the best in hindsight."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftline.hindsight import Best
from driftline.regret import DRIFTLINE, NEVER, Outcome
from driftline.replay import Course

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_INCHES = (9.5, 4.4)
COLOURS = ("#8a8a8a", "#3b6ea5", "#c9b458", "#b98a5a", "#8f7fb5", "#6b9c8f", "#4a4a4a")
OWN_COLOUR = "#c0392b"
MARKS = "osv^DPX*<>h"


def draw_losses(courses: Sequence[Course], metric: str) -> str:
    """Mean loss per window and policy; a dot where a new champion took over after the window."""
    figure, axes = _begin()
    for place, course in enumerate(courses):
        is_own = course.policy == DRIFTLINE
        windows = [step.window + 1 for step in course.steps]
        losses = [step.loss for step in course.steps]
        axes.plot(
            windows,
            losses,
            label=course.policy,
            color=_colour(course.policy, place),
            linewidth=2.4 if is_own else 1.1,
            linestyle="--" if course.policy == NEVER else "-",
            marker="o",
            markersize=7 if is_own else 4,
            markevery=[i for i, step in enumerate(course.steps) if step.promoted],
            zorder=3 if is_own else 2,
        )
    axes.set_xlabel("window (a dot: after it a new champion took over)")
    axes.set_ylabel(f"mean {metric}")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return _as_svg(figure)


def draw_hindsight(best: Sequence[Best], outcomes: Sequence[Outcome], metric: str) -> str:
    """The least possible loss by number of new champions, and where each policy came out."""
    figure, axes = _begin()
    axes.plot(
        [each.retrainings for each in best],
        [each.loss for each in best],
        color="black",
        linewidth=1.2,
        label="best in hindsight",
    )
    for place, outcome in enumerate(outcomes):
        is_own = outcome.name == DRIFTLINE
        axes.scatter(
            outcome.promotions,
            outcome.loss,
            color=_colour(outcome.name, place),
            marker=MARKS[place % len(MARKS)],
            s=90 if is_own else 45,
            label=outcome.name,
            zorder=3,
        )
    axes.set_xlabel("new champions")
    axes.set_ylabel(f"mean {metric} per window")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return _as_svg(figure)


def _colour(policy: str, place: int) -> str:
    return OWN_COLOUR if policy == DRIFTLINE else COLOURS[place % len(COLOURS)]


def _begin() -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes


def _as_svg(figure: "Figure") -> str:
    """The drawing alone, without the prolog of a file of its own, which names other addresses."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "driftline", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
