"""What was read of the loop, as values of its metrics."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import numpy as np

from deployments.exporter.families import Families
from deployments.exporter.performance import Performance
from deployments.exporter.records import WORDS, Records
from driftline.problem import Problem
from tasks.server.heartbeat import Heartbeat

A_DAY: Final = 86400.0
QUANTILES: Final = (0.5, 0.9)


def tell_records(families: Families, problem: str, records: Records) -> None:
    """Champion, orders, verdicts and labels of a problem."""
    tenure = records.tenure
    if tenure.version is not None:
        families.add("champion_info", 1, problem=problem, version=tenure.version)
        families.add("champion_since_timestamp_seconds", tenure.since, problem=problem)
    for name in ("promotions", "rollbacks", "challengers"):
        families.add(f"{name}_total", getattr(tenure, name), problem=problem)
    for (kind, state), count in records.orders.items():
        families.add("orders", count, problem=problem, kind=kind, state=state)
    for kind, since in records.waiting_since.items():
        families.add("order_waiting_timestamp_seconds", since, problem=problem, kind=kind)
    families.add("quarantines_waiting", records.quarantines, problem=problem)
    _tell_verdicts(families, problem, records)
    _tell_labels(families, problem, records)


def _tell_verdicts(families: Families, problem: str, records: Records) -> None:
    for word in WORDS:
        is_newest = int(word == records.verdict)
        families.add("verdicts_total", records.verdicts[word], problem=problem, verdict=word)
        families.add("verdict_state", is_newest, problem=problem, verdict=word)
    if records.verdict_at is not None:
        families.add("verdict_timestamp_seconds", records.verdict_at, problem=problem)


def _tell_labels(families: Families, problem: str, records: Records) -> None:
    families.add("logged_predictions_total", records.predictions, problem=problem)
    families.add("logged_labels_total", records.labels, problem=problem)
    for share in QUANTILES if records.label_lags else ():
        lag = float(np.quantile(records.label_lags, share))
        families.add("label_lag_seconds", lag, problem=problem, quantile=f"{share:g}")
    if records.labels_awaited_since is not None:
        since = records.labels_awaited_since
        families.add("labels_awaited_since_timestamp_seconds", since, problem=problem)


def tell_performance(
    families: Families,
    problem: str,
    performance: Performance | None,
    gates: Mapping[tuple[str, str], float],
) -> None:
    """Figures with their intervals, and the gates that they are held to."""
    for (metric, side), bound in gates.items():
        families.add("performance_gate", bound, problem=problem, metric=metric, bound=side)
    if performance is None:
        return
    families.add("performance_rows", performance.rows, problem=problem)
    for metric, value in performance.metrics.items():
        low, high = performance.intervals[metric]
        for name, figure in (("", value), ("_low", low), ("_high", high)):
            families.add(f"performance{name}", figure, problem=problem, metric=metric)


def tell_limits(families: Families, problem: Problem) -> None:
    """From when on people are to be told."""
    limits, name = problem.alerts, problem.name
    families.add("champion_limit_seconds", limits.champion_days * A_DAY, problem=name)
    families.add("label_limit_seconds", limits.label_days * A_DAY, problem=name)


def tell_sweeps(families: Families, beat: Heartbeat) -> None:
    """When sweeps were and are due, and whom they could not look after."""
    for name, moment in (("sweep", beat.swept_at), ("sweep_due", beat.due_by)):
        if moment:
            at = datetime.fromisoformat(moment).timestamp()
            families.add(f"{name}_timestamp_seconds", at)
    for problem, failure in beat.failures.items():
        families.add("sweep_failures", failure.sweeps, problem=problem)
