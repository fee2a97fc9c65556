"""Prometheus is told of the loop as it stands, and of no more than that."""

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bentos.log.database import place_order as place
from deployments.exporter.collector import LoopCollector, expose
from deployments.exporter.families import MEANINGS
from driftline.alerts import Alerts
from tasks.log.quarantine import decide_on_quarantine
from tasks.server import heartbeat
from tasks.settings import get_settings
from tests.deployments.exporter.loop import (
    give_alias,
    judge,
    label,
    label_all,
    predict,
    scrape,
    value,
)
from tests.support import TINY, file_problem, make_problem

WORDS = {"ok", "watch", "quarantine", "retrain", "need_labels"}


def test_a_loop_of_which_nothing_is_known_is_told_too(loop: LoopCollector) -> None:
    told = scrape(loop)

    assert value(told, "records_up") == value(told, "store_up") == 1
    assert value(told, "problem_readable") == 1
    assert value(told, "champion_info", version="1") is None
    assert value(told, "logged_predictions_total") == 0
    assert value(told, "sweep_due_timestamp_seconds") is None
    assert {value(told, "verdict_state", verdict=word) for word in WORDS} == {0}


def test_every_family_has_its_meaning(loop: LoopCollector) -> None:
    text = expose(loop).decode()

    assert all(f"# HELP driftline_{name} " in text for name in MEANINGS)


def test_the_champion_is_told_with_its_age_and_its_limit(
    loop: LoopCollector, engine: Engine
) -> None:
    give_alias(engine, "1", days_ago=200)
    give_alias(engine, "2", days_ago=10)
    give_alias(engine, "1", days_ago=1)

    told = scrape(loop)

    assert value(told, "champion_info", version="1") == 1
    since = value(told, "champion_since_timestamp_seconds")
    assert since == pytest.approx(time.time() - 200 * 86400, abs=60)
    assert value(told, "champion_limit_seconds") == Alerts().champion_days * 86400
    assert (value(told, "promotions_total"), value(told, "rollbacks_total")) == (2, 1)


def test_limits_are_the_problem_files(loop: LoopCollector, project: Path) -> None:
    file_problem(project, "tiny", TINY, alerts={"champion_days": 2, "label_days": 0.5})

    told = scrape(loop)

    assert value(told, "champion_limit_seconds") == 2 * 86400
    assert value(told, "label_limit_seconds") == 0.5 * 86400


def test_the_newest_verdict_counts_until_another_model_serves(
    loop: LoopCollector, engine: Engine
) -> None:
    give_alias(engine, "1")
    for verdict in ("ok", "retrain"):
        judge(engine, verdict)

    before = scrape(loop)
    give_alias(engine, "2")
    after = scrape(loop)

    assert value(before, "verdict_state", verdict="retrain") == 1
    assert value(before, "verdict_state", verdict="ok") == 0
    assert value(after, "verdict_state", verdict="retrain") == 0
    assert value(after, "verdicts_total", verdict="retrain") == 1


@pytest.mark.parametrize("decision", ["released", "dropped"])
def test_a_quarantine_waits_until_a_person_has_decided(
    decision: str, loop: LoopCollector, engine: Engine
) -> None:
    predict(engine, 3)
    key = judge(engine, "quarantine", rows=3)
    judge(engine, "ok")

    before = value(scrape(loop), "quarantines_waiting")
    decide_on_quarantine.fn(make_problem(), key, decision, actor="a test")

    assert before == 1
    assert value(scrape(loop), "quarantines_waiting") == 0


def test_a_quarantine_without_rows_waits_for_the_next_verdict(
    loop: LoopCollector, engine: Engine
) -> None:
    judge(engine, "quarantine", rows=0)
    before = value(scrape(loop), "quarantines_waiting")
    judge(engine, "ok", rows=0)

    assert before == 1
    assert value(scrape(loop), "quarantines_waiting") == 0


def test_orders_are_counted_by_kind_and_state(loop: LoopCollector, engine: Engine) -> None:
    place(engine, "tiny", "train", "verdict:x")
    place(engine, "tiny", "monitor", "labels:tiny:100")
    place(engine, "other", "train", "verdict:y")

    told = scrape(loop)

    assert value(told, "orders", kind="train", state="open") == 1
    assert value(told, "orders", kind="train", state="done") == 0
    waiting = value(told, "order_waiting_timestamp_seconds", kind="monitor")
    assert waiting == pytest.approx(time.time(), abs=60)


def test_labels_are_awaited_since_the_first_answer_without_one(
    loop: LoopCollector, engine: Engine
) -> None:
    old = predict(engine, 1, days_ago=3)
    before = value(scrape(loop), "labels_awaited_since_timestamp_seconds")
    label(engine, old, "ill")
    labelled = value(scrape(loop), "labels_awaited_since_timestamp_seconds")
    predict(engine, 1)
    after = value(scrape(loop), "labels_awaited_since_timestamp_seconds")

    assert before == pytest.approx(time.time() - 3 * 86400, abs=60)
    assert labelled is None
    assert after == pytest.approx(time.time(), abs=60)


def test_rows_are_counted_on_from_scrape_to_scrape(loop: LoopCollector, engine: Engine) -> None:
    label_all(engine, predict(engine, 1500)[:40], "ill")
    predict(engine, 7, problem="other")
    scrape(loop)
    predict(engine, 1500)

    told = scrape(loop)

    assert value(told, "logged_predictions_total") == 3000
    assert value(told, "logged_labels_total") == 40


def test_the_way_of_labels_is_told_of_enough_of_them(loop: LoopCollector, engine: Engine) -> None:
    ids = predict(engine, 20, days_ago=2)
    label_all(engine, ids[:19], "ill")
    of_few = value(scrape(loop), "label_lag_seconds", quantile="0.5")
    label_all(engine, ids[19:], "ill")

    assert of_few is None
    lag = value(scrape(loop), "label_lag_seconds", quantile="0.5")
    assert lag == pytest.approx(2 * 86400, abs=60)


def test_a_sweep_is_told_with_when_the_next_is_due(loop: LoopCollector) -> None:
    failure = heartbeat.Failure("no such problem", may_pass=True)
    heartbeat.record_sweep({"tiny": failure}, next_within=timedelta(minutes=5))

    told = scrape(loop)

    swept, due = (value(told, f"{n}_timestamp_seconds") for n in ("sweep", "sweep_due"))
    assert swept == pytest.approx(time.time(), abs=60)
    assert (due or 0) - (swept or 0) == pytest.approx(300, abs=5)
    assert value(told, "sweep_failures") == 1


def test_what_waits_in_the_spool_is_told_without_a_service(loop: LoopCollector, home: Path) -> None:
    (home / "spool").mkdir()
    begun = f"{time.time_ns() - 90 * 10**9:020d}"
    (home / "spool" / f"{begun}-x.jsonl").write_bytes(b"{}\n")
    (home / "spool" / f"{begun}-y.damaged").write_bytes(b"{}\n{}\n")

    told = scrape(loop)

    assert value(told, "waiting_spool_bytes") == 3
    assert value(told, "waiting_spool_age_seconds") == pytest.approx(90, abs=60)
    assert value(told, "waiting_spool_damaged_lines") == 2


def test_flows_are_told_by_their_last_outcome(loop: LoopCollector, home: Path) -> None:
    (home / "runs").mkdir()
    summary = {"seconds": {"read": 1.5, "fit": 2.5}}
    (home / "runs" / "train-tiny-latest.json").write_text(json.dumps(summary))
    (home / "runs" / "monitor-tiny-latest.json").write_text("cut o")
    (home / "runs" / "train-other-latest.json").write_text(json.dumps(summary))

    told = scrape(loop)

    assert value(told, "flow_duration_seconds", flow="train") == 4
    ended = [labels for name, labels in told if name == "flow_finished_timestamp_seconds"]
    assert ended == [frozenset({("flow", "train"), ("problem", "tiny")})]


def test_a_database_that_is_away_is_told_and_hides_nothing_else(
    loop: LoopCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    get_settings.cache_clear()

    told = scrape(loop)

    assert value(told, "records_up") == 0
    assert value(told, "store_up") == value(told, "problem_readable") == 1


def test_a_broken_problem_hides_no_other(loop: LoopCollector, project: Path) -> None:
    file_problem(project, "broken", TINY, goal={"maximise": "nothing"})

    told = scrape(loop)

    assert value(told, "problem_readable", problem="broken") == 0
    assert value(told, "logged_predictions_total") == 0


def test_no_label_holds_what_a_row_holds(loop: LoopCollector, engine: Engine) -> None:
    give_alias(engine, "1")
    label_all(engine, predict(engine, 100), "ill")
    judge(engine, "ok")

    told = scrape(loop)

    labels = {name for _, pairs in told for name, _ in pairs}
    assert labels <= {
        *("problem", "version", "flow", "kind", "state", "verdict"),
        *("metric", "bound", "quantile"),
    }
