"""Grafana's files: where it finds data and dashboards, and the alerts as rules of its own.

The rules are for who has Grafana and no Alertmanager: contact points are theirs to choose.
"""

from collections.abc import Iterable
from typing import Any, Final

from grafana_foundation_sdk.builders import alerting, expr, prometheus
from grafana_foundation_sdk.models import alerting as models
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from deployments.monitoring.alert import Alert, Pace

SOURCE_UID: Final = "driftline-prometheus"
EXPRESSIONS: Final = "__expr__"
DASHBOARDS: Final = "/etc/grafana/dashboards"
FOLDER: Final = "Driftline"
LOOKBACK_SECONDS: Final = 600
EVALUATED_SECONDS: Final = 60  # Grafana evaluates by multiples of ten seconds


def describe_sources() -> dict[str, Any]:
    """Where Prometheus is, by the environment."""
    source = {
        "name": "Prometheus",
        "uid": SOURCE_UID,
        "type": "prometheus",
        "access": "proxy",
        "url": "${PROMETHEUS_URL}",
        "isDefault": True,
        "editable": False,
    }
    return {"apiVersion": 1, "datasources": [source]}


def describe_provider() -> dict[str, Any]:
    """Where the dashboards are."""
    provider = {"name": "driftline", "folder": FOLDER, "type": "file", "allowUiUpdates": False}
    return {"apiVersion": 1, "providers": [provider | {"options": {"path": DASHBOARDS}}]}


def describe_grafana_rules(alerts: Iterable[Alert], pace: Pace) -> dict[str, Any]:
    """The alerts as Grafana-managed rules, for provisioning from a file."""
    group = {
        "orgId": 1,
        "name": "driftline",
        "folder": FOLDER,
        "interval": f"{EVALUATED_SECONDS}s",
        "rules": [as_provisioned(draw_rule(alert, pace)) for alert in alerts],
    }
    return {"apiVersion": 1, "groups": [group]}


def draw_rule(alert: Alert, pace: Pace) -> models.Rule:
    """A rule that fires for each series of the condition, whatever its value."""
    told = {"summary": alert.summary, "description": alert.meaning, "runbook_url": alert.runbook}
    made = alerting.Rule(alert.name).uid(alert.name.lower()).condition("B")
    made.with_query(_query(alert)).with_query(_threshold())
    made.no_data_state("OK").exec_err_state("Error").for_val(f"{pace.hold_seconds(alert)}s")
    return made.labels({"severity": alert.severity}).annotations(told).build()


def as_provisioned(rule: models.Rule) -> dict[str, Any]:
    """A rule as a file has it, which names neither its organisation nor its group again."""
    document: dict[str, Any] = rule.to_json()
    kept = ("uid", "title", "condition", "noDataState", "execErrState", "for")
    return {
        **{name: document[name] for name in kept},
        "data": [_plain(each.to_json()) for each in rule.data or []],
        "labels": document["labels"],
        "annotations": document["annotations"],
    }


def _query(alert: Alert) -> alerting.Query:
    every = prometheus.Dataquery().expr(f"group without () ({alert.expr})").instant().ref_id("A")
    return _part("A").datasource_uid(SOURCE_UID).model(every)


def _threshold() -> alerting.Query:
    source = DataSourceRef(type_val=EXPRESSIONS, uid=EXPRESSIONS)
    above_nothing = expr.ExprTypeThresholdConditionsEvaluator().params([0]).type("gt")
    above = expr.ExprTypeThresholdConditions().evaluator(above_nothing)
    made = expr.TypeThreshold().expression("A").ref_id("B").datasource(source)
    return _part("B").datasource_uid(EXPRESSIONS).model(made.conditions([above]))


def _part(name: str) -> alerting.Query:
    lately = models.RelativeTimeRange(from_val=LOOKBACK_SECONDS, to=0)
    return alerting.Query(name).relative_time_range(lately)


def _plain(document: Any) -> Any:
    """What the library has made, as mappings and lists."""
    if hasattr(document, "to_json"):
        return _plain(document.to_json())
    if isinstance(document, dict):
        return {name: _plain(value) for name, value in document.items()}
    return [_plain(value) for value in document] if isinstance(document, list) else document
