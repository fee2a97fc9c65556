"""Refused records are counted by field and kind, beside the predictions and as durably."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from bentos.api import Api
from bentos.log import writers
from bentos.log.database import insert_rows, migrate, open_engine
from bentos.log.direct import DirectLog
from bentos.log.refusals import PendingRefusals, count_record
from bentos.log.rows import refusal_rows
from bentos.log.shipper import ship
from bentos.log.spool import list_segments
from bentos.log.tables import REFUSALS
from bentos.log.writers import SpoolLog
from bentos.predictor import Predictor
from driftline.fields import InvalidRecordError
from tests.bentos.asking import ask
from tests.bentos.models import MARKER, RECORD, FullLog, KeptLog
from tests.support import ROOT

Counted = Counter[tuple[str, str, str, str]]

REFUSE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from bentos.log.writers import SpoolLog
log = SpoolLog(Path(sys.argv[1]), sys.argv[2])
os.kill(log._shipper.pid, signal.SIGKILL)
log.refuse("tiny", "7", {("age", "out_of_range"): 1, ("", "record"): 1})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the shipper however busy the machine is, as these tests look at what it brought."""
    monkeypatch.setattr(writers, "WAIT_FOR_SHIPPER_SECONDS", 120.0)


def counted(engine: Engine) -> Counted:
    """What the database has counted, by problem, model version, field and kind."""
    found: Counted = Counter()
    with engine.connect() as connection:
        for row in connection.execute(select(REFUSALS)).mappings():
            found[row["problem"], row["model_version"], row["field"], row["kind"]] += row["count"]
    return found


def of_tiny(counts: dict[tuple[str, str], int]) -> Counted:
    return Counter({("tiny", "7", *fault): count for fault, count in counts.items()})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"age": None}, ("age", "missing")),
        ({"age": "40"}, ("age", "not_a_number")),
        ({"age": 40.5}, ("age", "not_whole")),
        ({"age": 121}, ("age", "out_of_range")),
        ({"level": 1e308}, ("level", "out_of_range")),
        ({"sex": "X"}, ("sex", "not_a_category")),
        ({"sex": []}, ("sex", "not_a_category")),
        ({MARKER: 1}, ("", "unknown_field")),
        ({"height": 1, "weight": 2}, ("", "unknown_field")),
        ({"features": [1]}, ("", "malformed")),
    ],
)
def test_a_refused_record_is_counted_by_field_and_kind(
    api: Api, log: KeptLog, change: dict[str, Any], fault: tuple[str, str]
) -> None:
    reply = ask(api, "/predict", RECORD | change)

    assert reply.status == 422
    assert log.refused == of_tiny({fault: 1, ("", "record"): 1})


def test_features_in_another_number_and_what_is_no_record_are_malformed(
    api: Api, log: KeptLog
) -> None:
    ask(api, "/predict", {"features": [1, 2]})
    ask(api, "/predict_batch", {"records": [None, 3, {"features": "x"}, RECORD]})

    assert log.refused == of_tiny({("", "malformed"): 4, ("", "record"): 4})


def test_every_bad_record_of_a_batch_counts_and_no_good_one(api: Api, log: KeptLog) -> None:
    """Also those beyond the faults that the answer names."""
    bad = [{"age": 400, "sex": "F"}] * 700 + [{"age": 400, "sex": "?"}] * 300

    ask(api, "/predict_batch", {"records": [RECORD, *bad, RECORD]})

    faults = {("age", "out_of_range"): 1000, ("sex", "not_a_category"): 300}
    assert log.refused == of_tiny(faults | {("", "record"): 1000})
    assert not log.entries


def test_what_is_no_record_at_all_or_comes_without_a_key_is_not_counted(
    predictor: Predictor, log: KeptLog
) -> None:
    api = Api(predictor, log, keys=["right"])

    ask(api, "/predict", {"age": -1}, b"wrong")
    api.respond("POST", "/predict", b"{", b"right")
    ask(api, "/feedback", {"label": 1}, b"right")

    assert log.refused == Counter()


def test_the_metrics_count_refusals_by_field_and_kind(api: Api) -> None:
    ask(api, "/predict", RECORD | {"age": 400, MARKER: 1})

    text = api.ledger.expose()

    assert 'driftline_refused_fields_total{field="age",kind="out_of_range"} 1' in text
    assert 'driftline_refused_fields_total{field="",kind="unknown_field"} 1' in text
    assert 'driftline_refused_fields_total{field="",kind="record"} 1' in text


def test_a_refusal_is_told_though_it_cannot_be_kept(predictor: Predictor) -> None:
    assert ask(Api(predictor, FullLog()), "/predict", {"age": -1}).status == 422


@given(
    record=st.dictionaries(
        st.sampled_from(["age", "sex", MARKER]), st.sampled_from([MARKER, 918273645, None])
    )
)
def test_nothing_that_a_client_sent_is_counted_by(predictor: Predictor, record: Any) -> None:
    log = KeptLog()

    ask(Api(predictor, log), "/predict", record)

    assert MARKER not in str(log.refused)
    assert "918273645" not in str(log.refused)
    assert {field for _, _, field, _ in log.refused} <= {"", *predictor.contract.field_names}


@given(
    sizes=st.lists(st.integers(1, 1000), max_size=8), failures=st.lists(st.booleans(), max_size=8)
)
def test_what_could_not_be_written_is_not_lost(sizes: list[int], failures: list[bool]) -> None:
    pending, written = PendingRefusals(), 0

    for size, fails in zip(sizes, [*failures, *[False] * 8], strict=False):
        pending.add("tiny", "7", {("age", "missing"): size})
        for entry in pending.take():
            if fails:
                pending.put_back(entry)
            else:
                written += sum(row["count"] for row in refusal_rows(entry))
    written += sum(row["count"] for entry in pending.take() for row in refusal_rows(entry))

    assert written == sum(sizes)


def test_a_flood_of_refusals_is_added_up_and_all_of_it_is_shipped(spool: Path, url: str) -> None:
    log = SpoolLog(spool, url)

    for _ in range(3000):
        log.refuse("tiny", "7", {("age", "out_of_range"): 1, ("", "record"): 1})
    lines = sum(path.read_bytes().count(b"\n") for path in list_segments(spool))
    log.close()

    assert lines < 300
    assert counted(open_engine(url)) == of_tiny(
        {("age", "out_of_range"): 3000, ("", "record"): 3000}
    )


def test_a_refusal_outlives_a_process_that_is_killed_at_once(spool: Path, url: str) -> None:
    words = [sys.executable, "-c", REFUSE_AND_DIE, str(spool), url]

    died = subprocess.run(words, cwd=ROOT, env=os.environ, capture_output=True, check=False)

    engine = open_engine(url)
    migrate(engine)
    ship(engine, spool)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert counted(engine) == of_tiny({("age", "out_of_range"): 1, ("", "record"): 1})


def test_an_entry_that_is_shipped_twice_counts_once(engine: Engine) -> None:
    pending = PendingRefusals()
    pending.add("tiny", "7", {("é" * 300, "missing"): 2, ("", "record"): 2**40})
    (entry,) = pending.take()

    insert_rows(engine, predictions=(), refusals=refusal_rows(entry))
    insert_rows(engine, predictions=(), refusals=refusal_rows(entry))

    assert counted(engine) == of_tiny({("é" * 300, "missing"): 2, ("", "record"): 2**40})


def test_both_logs_leave_the_same_counts(
    empty_url: str, tmp_path: Path, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", empty_url)
    try:
        predictor.contract.encode({"age": -1, "sex": "?", MARKER: 1})
    except InvalidRecordError as error:
        counts = count_record(error.faults)

    spooled = SpoolLog(tmp_path / "spool", empty_url)
    spooled.refuse("tiny", "7", counts)
    spooled.close()
    DirectLog(empty_url).refuse("tiny", "7", counts)

    expected = dict.fromkeys(
        [("age", "out_of_range"), ("sex", "not_a_category"), ("", "unknown_field"), ("", "record")],
        2,
    )
    assert counted(open_engine(empty_url)) == of_tiny(expected)


def test_what_a_database_that_was_away_did_not_count_comes_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.mkdir()
    log = DirectLog(f"sqlite:///{path}")

    log.refuse("tiny", "7", {("", "record"): 2})
    path.rmdir()
    log.refuse("tiny", "7", {("", "record"): 3})

    assert counted(open_engine(f"sqlite:///{path}")) == of_tiny({("", "record"): 5})


def test_a_file_with_the_tables_of_an_older_release_gets_the_new_ones(tmp_path: Path) -> None:
    """By the driver alone, and in a way that migrations still go on from."""
    from alembic import command
    from alembic.config import Config

    url = f"sqlite:///{tmp_path / 'log.db'}"
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", str(ROOT / "bentos/log/migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")

    DirectLog(url).refuse("tiny", "7", {("", "record"): 1})
    migrate(engine)

    assert counted(engine) == of_tiny({("", "record"): 1})
