"""What the dashboard of the loop shows: sweeps, flows, champions, labels, and the spool."""

from typing import Final

from deployments.monitoring.alert import LOOP
from deployments.monitoring.boards.panels import Board, Panel
from deployments.monitoring.boards.promql import MINE, rate, since

SWEEPS: Final = (
    Panel(
        "Since the last sweep",
        "Sweeps start what an event lost",
        {"{{instance}}": "time() - driftline_sweep_timestamp_seconds"},
        "s",
        "number",
    ),
    Panel(
        "Until the next sweep is due",
        "Below nothing, the loop is down",
        {"{{instance}}": "driftline_sweep_due_timestamp_seconds - time()"},
        "s",
        "number",
    ),
    Panel(
        "What can be read",
        "The database, the store, and each problem's file",
        {
            "database": "driftline_records_up",
            "store": "driftline_store_up",
            "{{problem}}": f"driftline_problem_readable{{{MINE}}}",
            "report server": f'up{{job="{LOOP}"}}',
        },
        kind="states",
    ),
)
FLOWS: Final = (
    Panel(
        "Since a flow's last outcome",
        "On the report server's machine",
        {"{{problem}} {{flow}}": since("flow_finished")},
        "s",
    ),
    Panel(
        "How long it took",
        "The last run of each flow",
        {"{{problem}} {{flow}}": f"driftline_flow_duration_seconds{{{MINE}}}"},
        "s",
    ),
    Panel(
        "Orders",
        "What labels and verdicts have ordered, by how far it is",
        {
            "{{problem}} {{kind}} {{state}}": "sum by (problem, kind, state) "
            f"(driftline_orders{{{MINE}}})"
        },
    ),
    Panel(
        "The order that waits longest",
        "Since when it stands as it is",
        {"{{problem}} {{kind}}": since("order_waiting")},
        "s",
    ),
    Panel(
        "Verdicts",
        "How many of each there were",
        {"{{problem}} {{verdict}}": f"driftline_verdicts_total{{{MINE}}}"},
    ),
)
CHAMPIONS: Final = (
    Panel(
        "Champion",
        "By the journal",
        {"{{problem}} version {{version}}": f"driftline_champion_info{{{MINE}}}"},
        kind="states",
    ),
    Panel(
        "Age of the champion",
        "As a share of its limit",
        {
            "{{problem}}": f"({since('champion_since')}) / on (problem, instance) "
            f"driftline_champion_limit_seconds{{{MINE}}}"
        },
        "percentunit",
    ),
    Panel(
        "Retrainings",
        "Versions that became challenger and champion, and champions that came back",
        {
            "{{problem}} trained": f"driftline_challengers_total{{{MINE}}}",
            "{{problem}} promoted": f"driftline_promotions_total{{{MINE}}}",
            "{{problem}} rolled back": f"driftline_rollbacks_total{{{MINE}}}",
        },
    ),
)
LABELS: Final = (
    Panel(
        "Predictions and labels",
        "That come to the database, a second",
        {
            "{{problem}} predictions": rate("driftline_logged_predictions_total", "problem"),
            "{{problem}} labels": rate("driftline_logged_labels_total", "problem"),
        },
        "cps",
    ),
    Panel(
        "From answer to label",
        "Of the newest labels: half, and nine of ten, take at most so long",
        {"{{problem}} {{quantile}}": f"driftline_label_lag_seconds{{{MINE}}}"},
        "s",
    ),
    Panel(
        "Without a label",
        "Since the first answer after which none has come, as a share of the limit",
        {
            "{{problem}}": f"({since('labels_awaited_since')}) / on (problem, instance) "
            f"driftline_label_limit_seconds{{{MINE}}}"
        },
        "percentunit",
    ),
)
WATCHERS: Final = (
    Panel(
        "Spool of the report server's machine",
        "Bytes that wait, whether or not a service runs",
        {"{{instance}}": "driftline_waiting_spool_bytes"},
        "bytes",
    ),
    Panel(
        "Its age, and what it takes to tell",
        "The oldest prediction that waits, and the time that a scrape reads",
        {
            "age {{instance}}": "driftline_waiting_spool_age_seconds",
            "reading {{instance}}": "driftline_exporter_read_seconds",
        },
        "s",
    ),
    Panel(
        "Alerts",
        "How many fire",
        {"{{alertname}}": 'count by (alertname) (ALERTS{alertstate="firing"}) or vector(0)'},
    ),
)
LOOP_BOARD: Final = Board(
    "driftline-loop",
    "Driftline: loop",
    "driftline_problem_readable",
    {
        "Sweeps": SWEEPS,
        "Flows": FLOWS,
        "Champions": CHAMPIONS,
        "Labels": LABELS,
        "Spool and alerts": WATCHERS,
    },
)
