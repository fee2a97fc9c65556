"""The ledger's counts as Prometheus text, made by its own client library when somebody asks.

Imported then and not before: counting needs none of it, and neither does a Lambda.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bentos.http.metrics import CONFIDENCES, SECONDS, Gauge, Ledger, Shown

PREFIX = "driftline_"


class _Families(Collector):
    """What the library renders: families that are made already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Hand them over."""
        return self._families


def expose_process() -> str:
    """What this process takes of the machine: processor, memory, descriptors and their limit."""
    return generate_latest(ProcessCollector(registry=None)).decode()


def render(ledger: Ledger, shown: Shown, extra: Iterable[Gauge]) -> str:
    """Every family, then the gauges; those of one name stand together."""
    contract = ledger.contract
    model = {"problem": contract.problem, "version": contract.model_version}
    gauges = [Gauge("model_info", "The model that serves", model, 1), *extra]
    families = _Families([*_counters(ledger, shown), *_histograms(ledger, shown), *_group(gauges)])
    return generate_latest(families).decode()


def _counters(ledger: Ledger, shown: Shown) -> Iterator[Metric]:
    yield CounterMetricFamily(
        f"{PREFIX}answered_records", "Records that were answered", value=ledger.answered
    )
    by_version = "Records that were answered, by the version that did"
    yield _counter("version_answers", by_version, "version", ledger.by_version)
    yield _counter("predictions", "Predictions by class", "class", shown.by_class)
    yield _counter("risk_bands", "Predictions by risk band", "band", shown.by_risk)
    yield _counter("rejected_requests", "Refused requests by code", "code", ledger.rejected)
    refused = CounterMetricFamily(
        f"{PREFIX}refused_fields",
        "Refused records by field and kind of fault",
        labels=("field", "kind"),
    )
    for names, count in list(ledger.refused.items()):  # others count meanwhile
        refused.add_metric(names, count)
    yield refused
    yield _counter("missing_values", "Missing values by field", "field", shown.missing)
    yield _counter("labels_received", "Labels by outcome", "outcome", ledger.labels)


def _histograms(ledger: Ledger, shown: Shown) -> Iterator[Metric]:
    confidence = _histogram("confidence", "Probability of the class decided for")
    _fill(confidence, {}, CONFIDENCES, shown.confidence)
    yield confidence
    seconds = _histogram("scoring_seconds", "Time to answer a request")
    _fill(seconds, {}, SECONDS, ledger.seconds.counts)
    seconds.add_sample(f"{seconds.name}_sum", {}, ledger.seconds.total)
    yield seconds
    inputs = _histogram("input_value", "Numeric inputs over the contract's bins")
    for name, (_, bounds) in ledger.columns.items():
        _fill(inputs, {"field": name}, bounds, shown.inputs[name])
    yield inputs


def _counter(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}{name}", meaning, labels=(label,))
    for key, count in list(counts.items()):  # others count meanwhile
        family.add_metric((key,), count)
    return family


def _histogram(name: str, meaning: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(f"{PREFIX}{name}", meaning)


def _fill(
    family: HistogramMetricFamily,
    labels: dict[str, str],
    bounds: Sequence[float],
    counts: Sequence[int],
) -> None:
    """Add buckets and their count; the library's own way would want a sum, which we do not show."""
    seen = 0
    for bound, count in zip((*bounds, math.inf), counts, strict=True):
        seen += count
        at = "+Inf" if math.isinf(bound) else f"{bound:.12g}"
        family.add_sample(f"{family.name}_bucket", labels | {"le": at}, seen)
    family.add_sample(f"{family.name}_count", labels, seen)


def _group(gauges: Iterable[Gauge]) -> Iterable[Metric]:
    families: dict[str, Metric] = {}
    for gauge in gauges:
        name = f"{PREFIX}{gauge.name}"
        family = families.setdefault(name, GaugeMetricFamily(name, gauge.meaning))
        family.add_sample(name, dict(gauge.labels), gauge.value)
    return families.values()
