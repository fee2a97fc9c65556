"""What people are woken up for: each alert once, for Prometheus and for Grafana alike."""

from typing import Final

from deployments.monitoring.alert import LOOP, SERVICE, Alert, Limits, Pace

SERVER_FAULTS: Final = ("internal", "log_unavailable", "busy", "not_ready")
OLDEST: Final = "driftline_spool_age_seconds|driftline_waiting_spool_age_seconds"
AWAITED: Final = "driftline_labels_awaited_since_timestamp_seconds"
SINCE: Final = "driftline_champion_since_timestamp_seconds"


def describe_alerts(pace: Pace, limits: Limits) -> list[Alert]:
    """All alerts: of the service, of the loop, of the model."""
    of_service = (SERVICE_DOWN, _latency(limits), _errors(limits), PART_DOWN, _spool(pace))
    return [*of_service, *OF_LOOP, *OF_MODEL]


def _latency(limits: Limits) -> Alert:
    return Alert(
        "DriftlineLatencyHigh",
        f"driftline:request_seconds:p99 > {limits.latency_seconds:g}",
        5,
        "warning",
        "The service of {{ $labels.problem }} answers slowly",
        f"One of 100 requests takes longer than {limits.latency_seconds:g} s.",
    )


def _errors(limits: Limits) -> Alert:
    return Alert(
        "DriftlineErrorsHigh",
        f"driftline:request_faults:ratio > {limits.error_share:g}",
        5,
        "critical",
        "The service of {{ $labels.problem }} fails to answer requests",
        f"More than {limits.error_share:.0%} of requests end in an error of the service's own.",
    )


def _spool(pace: Pace) -> Alert:
    return Alert(
        "DriftlineSpoolGrowing",
        f'max by (instance) ({{__name__=~"{OLDEST}"}}) > {pace.window_seconds}',
        2,
        "warning",
        "Predictions wait for the database",
        "The oldest prediction in the spool of {{ $labels.instance }} does not get away.",
    )


def _below_gate() -> str:
    """The end of the interval that is the better one is still beyond the bound."""
    high = "max by (problem, metric) (driftline_performance_high)"
    low = "min by (problem, metric) (driftline_performance_low)"
    at_least, at_most = (
        f'max by (problem, metric) (driftline_performance_gate{{bound="{side}"}})'
        for side in ("at_least", "at_most")
    )
    return f"{high} < {at_least} or {low} > {at_most}"


SERVICE_DOWN: Final = Alert(
    "DriftlineServiceDown",
    f'up{{job="{SERVICE}"}} == 0',
    2,
    "critical",
    "The service of {{ $labels.problem }} does not answer",
    "Nobody gets an answer from {{ $labels.instance }}.",
)
PART_DOWN: Final = Alert(
    "DriftlinePartDown",
    "driftline_part_up == 0",
    5,
    "warning",
    "The {{ $labels.part }} of the service of {{ $labels.problem }} does not work",
    "Answers are given and logged; `/readyz` says why this part does not do its work.",
)
OF_LOOP: Final = (
    Alert(
        "DriftlineLoopDown",
        "time() - driftline_sweep_due_timestamp_seconds > 0",
        1,
        "critical",
        "No sweep has come for longer than it should",
        "What labels and verdicts have ordered is not started.",
    ),
    Alert(
        "DriftlineExporterDown",
        f'up{{job="{LOOP}"}} == 0',
        2,
        "critical",
        "Nothing is heard of the loop",
        "The report server {{ $labels.instance }} is silent: no alert of the loop can come.",
    ),
    Alert(
        "DriftlineRecordsAway",
        "driftline_records_up == 0 or driftline_store_up == 0",
        2,
        "critical",
        "The database or the store of the loop cannot be read",
        "Predictions wait in the spool; nothing is judged and no alert of the model can come.",
    ),
    Alert(
        "DriftlineProblemUnreadable",
        "driftline_problem_readable == 0",
        5,
        "warning",
        "The problem file of {{ $labels.problem }} cannot be read",
        "Nobody looks after this problem until its file is right.",
    ),
    Alert(
        "DriftlineOrderGivenUp",
        'sum by (problem, kind) (driftline_orders{state=~"failed|told"}) > 0',
        0,
        "warning",
        "A run to {{ $labels.kind }} {{ $labels.problem }} was given up",
        "It has failed five times, and is tried again only by hand.",
    ),
)
OF_MODEL: Final = (
    Alert(
        "DriftlineDriftRetrain",
        'driftline_verdict_state{verdict="retrain"} == 1',
        0,
        "warning",
        "Drift of {{ $labels.problem }} calls for a retraining",
        "A training is ordered; a new champion, or the next verdict, ends this.",
    ),
    Alert(
        "DriftlineQuarantine",
        "driftline_quarantines_waiting > 0",
        0,
        "warning",
        "Data of {{ $labels.problem }} is in quarantine",
        "It neither teaches nor is judged until a person releases or drops it.",
    ),
    Alert(
        "DriftlineLabelsWanted",
        'driftline_verdict_state{verdict="need_labels"} == 1',
        0,
        "info",
        "The monitor of {{ $labels.problem }} asks for labels",
        "The verdict names the rows to label first.",
    ),
    Alert(
        "DriftlinePerformanceBelowGate",
        _below_gate(),
        5,
        "critical",
        "The champion of {{ $labels.problem }} misses the gate of {{ $labels.metric }}",
        "On its newest labelled answers, beyond what chance explains.",
    ),
    Alert(
        "DriftlineLabelsMissing",
        f"time() - {AWAITED} > driftline_label_limit_seconds",
        1,
        "warning",
        "No labels of {{ $labels.problem }} come any more",
        "Nobody can tell how good the answers are.",
    ),
    Alert(
        "DriftlineChampionOld",
        f"time() - {SINCE} > driftline_champion_limit_seconds",
        1,
        "info",
        "The champion of {{ $labels.problem }} is older than its limit",
        "What it has learnt may be out of date, though nothing has shown it.",
    ),
)
