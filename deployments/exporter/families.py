"""The metrics of the loop: their names and meanings, and the values of one scrape."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

PREFIX: Final = "driftline_"
MEANINGS: Final[Mapping[str, str]] = {  # counters end in _total, all others are gauges
    "records_up": "Whether the database could be read",
    "store_up": "Whether the store could be read",
    "problem_readable": "Whether the problem's file could be read",
    "exporter_read_seconds": "Time that this scrape took",
    "sweep_timestamp_seconds": "When the last sweep was",
    "sweep_due_timestamp_seconds": "By when the next sweep is due, where one is expected",
    "sweep_failures": "Sweeps on end that could not look after the problem",
    "flow_finished_timestamp_seconds": "When the flow last came to an outcome on this machine",
    "flow_duration_seconds": "How long that took",
    "champion_info": "The version that is champion",
    "champion_since_timestamp_seconds": "When this version was promoted first",
    "champion_limit_seconds": "How long a champion may serve",
    "promotions_total": "Versions that became champion",
    "rollbacks_total": "Times that an earlier champion came back",
    "challengers_total": "Trained versions that became challenger",
    "orders": "Orders by kind and state",
    "order_waiting_timestamp_seconds": "Since when the oldest order that is not done stands so",
    "verdicts_total": "Verdicts of monitoring",
    "verdict_state": "1 for the newest verdict on the champion, 0 for the others",
    "verdict_timestamp_seconds": "When the newest verdict was",
    "quarantines_waiting": "Quarantines that nobody has released or dropped",
    "logged_predictions_total": "Predictions in the database",
    "logged_labels_total": "Labels in the database",
    "damaged_parts": "Files of large batches that are gone or damaged",
    "label_lag_seconds": "Time from an answer to its label, of the newest labels",
    "labels_awaited_since_timestamp_seconds": "First answer after which no label has come",
    "label_limit_seconds": "How long predictions may wait without any label coming",
    "performance": "Figures of the champion's newest labelled answers",
    "performance_low": "Lower end of the figure's 95 % interval",
    "performance_high": "Upper end of the figure's 95 % interval",
    "performance_gate": "The bound of the problem's gates on the figure",
    "performance_rows": "Labelled answers that the figures rest on",
    "waiting_spool_bytes": "Bytes in this machine's spool that wait for the database",
    "waiting_spool_age_seconds": "Age of the oldest of them",
    "waiting_spool_damaged_lines": "Lines of the spool that could not be shipped",
}


class Families:
    """What one scrape found, by family; a family without a value is there all the same."""

    def __init__(self) -> None:
        """Begin with no value."""
        self._found: dict[str, Metric] = {name: _family(name) for name in MEANINGS}

    def add(self, name: str, value: float, **labels: str) -> None:
        """Add one value; of a counter too, whose count the database keeps."""
        self._found[name].add_sample(PREFIX + name, labels, value)

    def all(self) -> Iterable[Metric]:
        """Every family."""
        return self._found.values()


def _family(name: str) -> Metric:
    if name.endswith("_total"):
        return CounterMetricFamily(PREFIX + name.removesuffix("_total"), MEANINGS[name])
    return GaugeMetricFamily(PREFIX + name, MEANINGS[name])
