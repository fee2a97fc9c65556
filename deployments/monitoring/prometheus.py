"""Prometheus' own files: what is scraped, what is recorded, and the alerts as its rules.

Who is scraped, and where Alertmanager is, stands in files beside it (`targets/`), so that one
configuration serves every installation.
"""

from typing import Any, Final

from deployments.monitoring.alert import LOOP, SERVICE, Alert, Pace
from deployments.monitoring.alerts import SERVER_FAULTS

KEY_FILE: Final = "secrets/metrics_key"  # what a service with DRIFTLINE_API_KEYS wants to be told
TARGETS: Final = {SERVICE: "targets/service.json", LOOP: "targets/loop.json"}
ALERTMANAGERS: Final = "targets/alertmanager.json"
RULES: Final = "rules.yml"
REQUESTS: Final = "driftline_scoring_seconds_count|driftline_rejected_requests_total"


def describe_prometheus(pace: Pace) -> dict[str, Any]:
    """The content of `prometheus.yml`."""
    every = f"{pace.interval_seconds}s"
    service = _scrape(SERVICE) | {"authorization": {"credentials_file": KEY_FILE}}
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every, "scrape_timeout": every},
        "rule_files": [RULES],
        "alerting": {"alertmanagers": [{"file_sd_configs": [_files(ALERTMANAGERS)]}]},
        "scrape_configs": [service, _scrape(LOOP)],
    }


def describe_rules(alerts: list[Alert], pace: Pace) -> dict[str, Any]:
    """The content of `rules.yml`."""
    recorded = [{"record": name, "expr": expr} for name, expr in recordings(pace).items()]
    every = f"{pace.interval_seconds}s"
    return {
        "groups": [
            {"name": "driftline-recordings", "interval": every, "rules": recorded},
            {"name": "driftline", "interval": every, "rules": [_rule(a, pace) for a in alerts]},
        ]
    }


def recordings(pace: Pace) -> dict[str, str]:
    """Figures that dashboards and alerts share, by name."""
    by, window = "problem, instance", pace.window
    faults = "|".join(SERVER_FAULTS)
    each = f"sum by ({by})"
    requests = f'{each} (rate({{__name__=~"{REQUESTS}"}}[{window}]))'
    failed = f'{each} (rate(driftline_rejected_requests_total{{code=~"{faults}"}}[{window}]))'
    refused = f'{each} (rate(driftline_refused_fields_total{{kind="record"}}[{window}]))'
    answered = f"{each} (rate(driftline_answered_records_total[{window}]))"
    buckets = f"sum by ({by}, le) (rate(driftline_scoring_seconds_bucket[{window}]))"
    return {
        "driftline:requests:rate": requests,
        "driftline:request_faults:ratio": f"({failed} or {requests} * 0) / {requests}",
        "driftline:request_seconds:p50": f"histogram_quantile(0.5, {buckets})",
        "driftline:request_seconds:p99": f"histogram_quantile(0.99, {buckets})",
        "driftline:answered_records:rate": answered,
        "driftline:refused_records:ratio": (
            f"({refused} or {answered} * 0) / (({refused} or {answered} * 0) + {answered})"
        ),
    }


def _scrape(job: str) -> dict[str, Any]:
    """What a target says of its own problem counts; of others its place says it."""
    return {"job_name": job, "honor_labels": True, "file_sd_configs": [_files(TARGETS[job])]}


def _files(name: str) -> dict[str, Any]:
    return {"files": [name], "refresh_interval": "10s"}


def _rule(alert: Alert, pace: Pace) -> dict[str, Any]:
    told = {"summary": alert.summary, "description": alert.meaning, "runbook_url": alert.runbook}
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": f"{pace.hold_seconds(alert)}s",
        "labels": {"severity": alert.severity},
        "annotations": told,
    }
