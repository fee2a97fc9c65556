"""The queries of a dashboard."""

from deployments.monitoring.boards.panels import Board


def expressions(board: Board) -> list[str]:
    """Every query, in the order of its panels."""
    panels = [panel for row in board.rows.values() for panel in row]
    return [expr for panel in panels for expr in panel.queries.values()]
