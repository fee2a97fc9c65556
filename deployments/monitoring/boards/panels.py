"""What a panel shows, and how it becomes one of Grafana's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models

SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${source}")
SCREEN, WIDTH, HEIGHT = 24, 8, 8  # in Grafana's columns and rows

Kind = Literal["lines", "number", "states"]


@dataclass(frozen=True)
class Panel:
    """A title, what it means, and its queries by the name that each line has."""

    title: str
    meaning: str
    queries: Mapping[str, str]
    unit: str = "short"
    kind: Kind = "lines"


@dataclass(frozen=True)
class Board:
    """A dashboard: its rows of panels, and from which series its problems are told."""

    uid: str
    title: str
    problems: str
    rows: Mapping[str, Sequence[Panel]]


def draw_board(board: Board) -> models.Dashboard:
    """Grafana's dashboard."""
    made = dashboard.Dashboard(board.title).uid(board.uid).tags(["driftline"]).editable()
    made.refresh("30s").time("now-6h", "now").timezone("browser")
    made.with_variable(dashboard.DatasourceVariable("source").label("Source").type("prometheus"))
    made.with_variable(_problems(board))
    numbers, place = count(1), 0
    for title, panels in board.rows.items():
        head = dashboard.Row(title).id(next(numbers))
        made.with_row(head.grid_pos(models.GridPos(1, SCREEN, 0, place)))
        for number, panel in enumerate(panels):
            row, column = divmod(number * WIDTH, SCREEN)
            position = models.GridPos(HEIGHT, WIDTH, column, place + 1 + row * HEIGHT)
            made.with_panel(draw_panel(panel).id(next(numbers)).grid_pos(position))
        place += 1 + HEIGHT * -(-len(panels) * WIDTH // SCREEN)
    return made.build()


def draw_panel(panel: Panel) -> Any:
    """The builder of Grafana's panel."""
    made = _BUILDERS[panel.kind]().title(panel.title).description(panel.meaning)
    made.datasource(SOURCE).unit(panel.unit)
    for number, (name, expr) in enumerate(panel.queries.items()):
        query = prometheus.Dataquery().expr(expr).legend_format(name).ref_id(chr(65 + number))
        made.with_target(query.datasource(SOURCE))
    return made


def _problems(board: Board) -> dashboard.QueryVariable:
    every = models.VariableOption(text="All", value="$__all", selected=True)
    query = dashboard.QueryVariable("problem").label("Problem").datasource(SOURCE)
    query.query(f"label_values({board.problems}, problem)")
    query.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).current(every)
    return query.multi(True).include_all(True).all_value(".*")  # noqa: FBT003 - the library's way


def _draw_lines() -> Any:
    legend = common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST)
    legend.placement(kinds.LegendPlacement.BOTTOM).show_legend(True)  # noqa: FBT003 - as above
    return lines.Panel().legend(legend).fill_opacity(5).show_points(kinds.VisibilityMode.NEVER)


def _draw_number() -> Any:
    newest = common.ReduceDataOptions().calcs(["lastNotNull"])
    return stat.Panel().graph_mode(kinds.BigValueGraphMode.NONE).reduce_options(newest)


def _draw_states() -> Any:
    return statetimeline.Panel().show_value(kinds.VisibilityMode.AUTO)


_BUILDERS: Final[Mapping[Kind, Any]] = {
    "lines": _draw_lines,
    "number": _draw_number,
    "states": _draw_states,
}
