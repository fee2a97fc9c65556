"""What the three dashboards show: the service, the model, the loop."""

from typing import Final

from deployments.monitoring.alert import LOOP, SERVICE
from deployments.monitoring.panels import Board, Panel

MINE: Final = 'problem=~"$problem"'
RATE: Final = "[$__rate_interval]"


def _rate(metric: str, *by: str, where: str = MINE) -> str:
    """A counter's rate, by labels."""
    return f"sum by ({', '.join(by)}) (rate({metric}{{{where}}}{RATE}))"


def _quantile(share: float, histogram: str, *by: str) -> str:
    return f"histogram_quantile({share:g}, {_rate(f'{histogram}_bucket', *by, 'le')})"


def _since(metric: str) -> str:
    return f"time() - driftline_{metric}_timestamp_seconds{{{MINE}}}"


TRAFFIC: Final = (
    Panel(
        "Requests",
        "Requests a second, answered or refused",
        {"{{problem}} {{instance}}": f"driftline:requests:rate{{{MINE}}}"},
        "reqps",
    ),
    Panel(
        "Records answered",
        "Records a second; a batch has many",
        {"{{problem}} {{instance}}": f"driftline:answered_records:rate{{{MINE}}}"},
        "cps",
    ),
    Panel(
        "Answers",
        "Whether the service answers Prometheus",
        {"{{problem}} {{instance}}": f'up{{job="{SERVICE}", {MINE}}}'},
        kind="states",
    ),
)
ERRORS: Final = (
    Panel(
        "Faults",
        "Share of requests that the service itself could not answer",
        {"{{problem}} {{instance}}": f"driftline:request_faults:ratio{{{MINE}}}"},
        "percentunit",
    ),
    Panel(
        "Refused requests",
        "By the error's code; most are a client's",
        {"{{code}}": _rate("driftline_rejected_requests_total", "code")},
        "reqps",
    ),
    Panel(
        "Parts",
        "Whether each part works as it should",
        {"{{part}} {{instance}}": f"driftline_part_up{{{MINE}}}"},
        kind="states",
    ),
)
LATENCY: Final = (
    Panel(
        "Time to answer",
        "Half of the requests, and 99 of 100, take at most so long",
        {
            "half {{instance}}": f"driftline:request_seconds:p50{{{MINE}}}",
            "99 of 100 {{instance}}": f"driftline:request_seconds:p99{{{MINE}}}",
        },
        "s",
    ),
    Panel(
        "Requests by time",
        "Requests a second that take at most so many seconds",
        {"{{le}}": _rate("driftline_scoring_seconds_bucket", "le")},
        "reqps",
    ),
)
SATURATION: Final = (
    Panel(
        "Processor",
        "Of one core; the service answers with one",
        {"{{instance}}": f"rate(process_cpu_seconds_total{{{MINE}}}{RATE})"},
        "percentunit",
    ),
    Panel(
        "Memory",
        "Resident memory",
        {"{{instance}}": f"process_resident_memory_bytes{{{MINE}}}"},
        "bytes",
    ),
    Panel(
        "Descriptors",
        "Open descriptors as a share of their limit; each connection takes one",
        {"{{instance}}": f"process_open_fds{{{MINE}}} / process_max_fds{{{MINE}}}"},
        "percentunit",
    ),
    Panel(
        "Spool",
        "Predictions that wait for the database",
        {"{{problem}} {{instance}}": f"driftline_spool_bytes{{{MINE}}}"},
        "bytes",
    ),
    Panel(
        "Age of the spool",
        "Of the oldest prediction that waits",
        {"{{problem}} {{instance}}": f"driftline_spool_age_seconds{{{MINE}}}"},
        "s",
    ),
    Panel(
        "Trouble",
        "Lines that could not be shipped, and attempts in a row to take a new champion over",
        {
            "lines set aside {{instance}}": f"driftline_spool_set_aside_lines{{{MINE}}}",
            "failed attempts {{instance}}": f"driftline_takeover_failed_attempts{{{MINE}}}",
        },
    ),
)
ANSWERS: Final = (
    Panel(
        "Version",
        "Who serves, by its number",
        {"{{problem}} version {{version}}": f"driftline_model_info{{{MINE}}}"},
        kind="states",
    ),
    Panel(
        "Predictions",
        "By class; counted in steps of 20",
        {"{{problem}} {{class}}": _rate("driftline_predictions_total", "problem", "class")},
        "cps",
    ),
    Panel(
        "Risk bands",
        "Predictions by risk band",
        {"{{problem}} {{band}}": _rate("driftline_risk_bands_total", "problem", "band")},
        "cps",
    ),
    Panel(
        "Confidence",
        "Probability of the class decided for: one of ten, and half, are at most so sure",
        {
            "one of ten {{problem}}": _quantile(0.1, "driftline_confidence", "problem"),
            "half {{problem}}": _quantile(0.5, "driftline_confidence", "problem"),
        },
        "percentunit",
    ),
)
INPUTS: Final = (
    Panel(
        "Median of each number",
        "Over the contract's ten bins, so a coarse one",
        {"{{problem}} {{field}}": _quantile(0.5, "driftline_input_value", "problem", "field")},
    ),
    Panel(
        "Missing values",
        "A second, by field",
        {"{{problem}} {{field}}": _rate("driftline_missing_values_total", "problem", "field")},
        "cps",
    ),
    Panel(
        "Refused records",
        "Share of records that the contract did not let in",
        {"{{problem}} {{instance}}": f"driftline:refused_records:ratio{{{MINE}}}"},
        "percentunit",
    ),
    Panel(
        "Refusals by field",
        "Which field, and what is wrong with it",
        {
            "{{problem}} {{field}} {{kind}}": _rate(
                "driftline_refused_fields_total", "problem", "field", "kind"
            )
        },
        "cps",
    ),
)
DRIFT: Final = (
    Panel(
        "Verdict",
        "The newest verdict on the champion",
        {"{{problem}} {{verdict}}": f"driftline_verdict_state{{{MINE}}}"},
        kind="states",
    ),
    Panel(
        "Since the newest verdict",
        "Monitoring runs by its schedule and by counts of labels",
        {"{{problem}}": _since("verdict")},
        "s",
        "number",
    ),
    Panel(
        "Quarantines",
        "Windows that wait for a person",
        {"{{problem}}": f"driftline_quarantines_waiting{{{MINE}}}"},
        kind="number",
    ),
)
PERFORMANCE: Final = (
    Panel(
        "All figures",
        "On the newest labelled answers",
        {"{{problem}} {{metric}}": f"driftline_performance{{{MINE}}}"},
    ),
    Panel(
        "Performance and its gate",
        "What the gates bound, with its 95 % interval",
        {
            "{{problem}} {{metric}} from": f"driftline_performance_low{{{MINE}}} and on "
            "(problem, metric) driftline_performance_gate",
            "{{problem}} {{metric}} to": f"driftline_performance_high{{{MINE}}} and on "
            "(problem, metric) driftline_performance_gate",
            "{{problem}} {{metric}} {{bound}}": f"driftline_performance_gate{{{MINE}}}",
        },
    ),
    Panel(
        "Labelled answers",
        "That the figures rest on",
        {"{{problem}}": f"driftline_performance_rows{{{MINE}}}"},
        kind="number",
    ),
)
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
        {"{{problem}} {{flow}}": _since("flow_finished")},
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
        {"{{problem}} {{kind}}": _since("order_waiting")},
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
            "{{problem}}": f"({_since('champion_since')}) / on (problem, instance) "
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
            "{{problem}} predictions": _rate("driftline_logged_predictions_total", "problem"),
            "{{problem}} labels": _rate("driftline_logged_labels_total", "problem"),
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
            "{{problem}}": f"({_since('labels_awaited_since')}) / on (problem, instance) "
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

BOARDS: Final = (
    Board(
        "driftline-service",
        "Driftline: service",
        f'up{{job="{SERVICE}"}}',
        {"Traffic": TRAFFIC, "Errors": ERRORS, "Latency": LATENCY, "Saturation": SATURATION},
    ),
    Board(
        "driftline-model",
        "Driftline: model",
        "driftline_problem_readable",
        {"Answers": ANSWERS, "Inputs": INPUTS, "Drift": DRIFT, "Performance": PERFORMANCE},
    ),
    Board(
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
    ),
)
