"""How well the champion does by its labels, as Prometheus is told."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from deployments.exporter.collector import LoopCollector
from tests.deployments.exporter.loop import (
    give_alias,
    judge,
    label_all,
    predict,
    scrape,
    value,
)
from tests.support import STAY, TINY, file_problem


def test_performance_is_the_champions_on_its_newest_labels(
    loop: LoopCollector, engine: Engine, project: Path
) -> None:
    file_problem(project, "tiny", TINY, gates=[{"metric": "test_accuracy", "at_least": 0.8}])
    give_alias(engine, "1")
    label_all(engine, predict(engine, 100, version="0"), "ill")
    label_all(engine, predict(engine, 40), "ill")
    few = value(scrape(loop), "performance", metric="accuracy")
    label_all(engine, predict(engine, 40, probability=0.1), "ill")
    label_all(engine, predict(engine, 20, probability=0.1), "well")

    told = scrape(loop)

    assert few is None
    assert value(told, "performance_rows") == 100
    assert value(told, "performance", metric="accuracy") == pytest.approx(0.6)
    low, high = (value(told, f"performance_{end}", metric="accuracy") for end in ("low", "high"))
    assert 0.4 < (low or 0) < 0.6 < (high or 0) < 0.8
    assert value(told, "performance_gate", metric="accuracy", bound="at_least") == 0.8


def test_performance_of_numbers_is_told_by_their_errors(
    loop: LoopCollector, engine: Engine, project: Path
) -> None:
    file_problem(project, "tiny", STAY)
    give_alias(engine, "1")
    answered = {"prediction": 0, "label": "5", "probabilities": "[5.0]"}
    ids = predict(engine, 60, **answered)
    label_all(engine, ids[:30], "4")
    label_all(engine, ids[30:], "8")

    told = scrape(loop)

    assert value(told, "performance", metric="mae") == 2
    assert value(told, "performance_gate", metric="mae", bound="at_most") == 4
    assert value(told, "performance", metric="interval_coverage") is None


def test_performance_moves_by_many_labels_or_not_at_all(
    loop: LoopCollector, engine: Engine
) -> None:
    """Who looks before and after one label does not learn it."""
    give_alias(engine, "1")
    label_all(engine, predict(engine, 60), "ill")
    first = value(scrape(loop), "performance", metric="accuracy")
    label_all(engine, predict(engine, 19), "well")
    second = value(scrape(loop), "performance", metric="accuracy")
    label_all(engine, predict(engine, 1), "well")

    third = value(scrape(loop), "performance", metric="accuracy")

    assert (first, second, third) == (1, 1, 0.75)


def test_what_is_in_quarantine_is_not_judged(loop: LoopCollector, engine: Engine) -> None:
    give_alias(engine, "1")
    label_all(engine, predict(engine, 60), "ill")
    label_all(engine, predict(engine, 60), "well")
    judge(engine, "quarantine", rows=60)

    assert value(scrape(loop), "performance", metric="accuracy") == 1
