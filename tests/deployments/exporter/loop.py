"""A loop's rows, written as its flows and services write them, and what Prometheus is told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, select

from bentos.ids import new_ids
from bentos.log.database import add_label, insert_predictions
from bentos.log.rows import label_row
from bentos.log.tables import JOURNAL, LABELS, PREDICTIONS, VERDICTS
from deployments.exporter.collector import LoopCollector, expose
from driftline.journal import Entry, next_entry

PROBLEM = "tiny"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def ago(days: float) -> datetime:
    """A moment as the database keeps it."""
    return (datetime.now(UTC) - timedelta(days=days)).replace(tzinfo=None)


def predict(
    engine: Engine,
    count: int,
    *,
    version: str = "1",
    days_ago: float = 0,
    probability: float = 0.9,
    problem: str = PROBLEM,
    **changes: Any,
) -> list[str]:
    """Log answers of `ill` (or `well`, below a half), or what `changes` say; returns their ids."""
    ids, is_ill = new_ids(count), probability >= 0.5
    shared = {
        "problem": problem,
        "model_version": version,
        "answered_at": ago(days_ago),
        "inputs": '{"age":40,"level":0.5,"sex":"F"}',
        "prediction": int(is_ill),
        "label": "ill" if is_ill else "well",
        "probabilities": f"[{1 - probability},{probability}]",
        "confidence": max(probability, 1 - probability),
        "risk_level": None,
    }
    insert_predictions(engine, [shared | changes | {"id": name} for name in ids])
    return ids


def label(engine: Engine, ids: Iterable[str], outcome: str) -> None:
    """Labels that come now."""
    for name in ids:
        add_label(engine, name, outcome)


def label_all(engine: Engine, ids: Sequence[str], outcome: str, *, problem: str = PROBLEM) -> None:
    """The same of many, at once."""
    with engine.begin() as connection:
        rows = [label_row(name, problem, outcome) for name in ids]
        connection.execute(LABELS.insert(), rows)


def give_alias(
    engine: Engine,
    after: str,
    *,
    alias: str = "champion",
    days_ago: float = 0,
    problem: str = PROBLEM,
) -> None:
    """Add a row to the journal."""
    with engine.begin() as connection:
        query = select(JOURNAL).where(JOURNAL.c.problem == problem).order_by(JOURNAL.c.number)
        entries = [Entry(**row) for row in connection.execute(query).mappings()]
        entry = next_entry(
            entries[-1] if entries else None,
            problem=problem,
            at=ago(days_ago).replace(tzinfo=UTC).isoformat(),
            actor="a test",
            alias=alias,
            before=None,
            after=after,
            why="a test wants it",
            evidence="",
        )
        content: Mapping[str, Any] = vars(entry)
        connection.execute(JOURNAL.insert(), dict(content))


def judge(engine: Engine, verdict: str, *, version: str = "1", rows: int = 1) -> str:
    """Record a verdict on the newest predictions, as monitoring does; returns its key."""
    with engine.begin() as connection:
        newest = connection.execute(
            select(PREDICTIONS.c.sequence).order_by(PREDICTIONS.c.sequence.desc()).limit(1)
        ).scalar()
        last, key = int(newest or 0), new_ids(1)[0]
        connection.execute(
            VERDICTS.insert(),
            {
                "key": key,
                "problem": PROBLEM,
                "model_version": version,
                "verdict": verdict,
                "reasons": '["a test wants it"]',
                "evidence": "{}",
                "report_sha256": "",
                "report": "",
                "first_prediction": last - rows + 1,
                "last_prediction": last,
                "decided_at": ago(0),
            },
        )
    return key


def parse(text: bytes) -> Series:
    """Every series of a scrape."""
    return {
        (sample.name.removeprefix("driftline_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float | None:
    """The value of one series, of the tiny problem unless told; None where it is not there."""
    of_problem = series.get((name, frozenset(({"problem": PROBLEM} | labels).items())))
    return series.get((name, frozenset(labels.items()))) if of_problem is None else of_problem


def scrape(collector: LoopCollector) -> Series:
    """What a collector tells when it is asked."""
    return parse(expose(collector))
