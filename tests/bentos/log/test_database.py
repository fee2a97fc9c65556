"""The prediction log's database, on SQLite and on real PostgreSQL and MariaDB servers."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, select

from bentos.log.database import (
    DatabaseError,
    add_label,
    count_labels,
    insert_predictions,
    last_verdict,
    migrate,
    open_engine,
    purge_inputs,
)
from bentos.log.tables import LABELS, PREDICTIONS, VERDICTS
from tests.bentos.log.logged import NOW, row, stored
from tests.support import ROOT
from tests.system.servers import DatabaseServer

SILENCE_SECONDS = 5.0  # a busy server may take one of them to answer
IN_ODD_FOLDER = """
import sys
from bentos.log.database import insert_predictions, migrate, open_engine
from bentos.log.direct import DirectLog
from bentos.log.rows import prediction_rows
from bentos.log.tables import PREDICTIONS
engine = open_engine(sys.argv[1])
migrate(engine)
def entry(name):
    one = {"id": name, "inputs": {}, "prediction": 1, "label": "ill", "probabilities": [0.5]}
    one |= {"confidence": 0.5, "risk": None}
    return {"time": 1.0, "problem": "tiny", "version": "7", "predictions": [one]}
insert_predictions(engine, prediction_rows(entry("a")))
DirectLog(sys.argv[1]).write(entry("b"))
with engine.connect() as connection:
    print(*sorted(row.id for row in connection.execute(PREDICTIONS.select())))
"""


@pytest.mark.parametrize(
    "name", ["churn 50%20test", "what?now=1", "a#b", "100%", "%(here)s", "ä ö"]
)
def test_any_name_of_a_folder_will_do(tmp_path: Path, name: str) -> None:
    """For the database, and for the code with its migrations."""
    folder = tmp_path / name
    code = folder / "code"
    for part in ("bentos", "driftline"):
        shutil.copytree(ROOT / part, code / part, ignore=shutil.ignore_patterns("__pycache__"))
    words = [sys.executable, "-c", IN_ODD_FOLDER, f"sqlite:///{folder / 'log.db'}"]

    done = subprocess.run(words, cwd=code, capture_output=True, text=True, check=False)

    assert done.stdout.split() == ["a", "b"], done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == [name]
    assert (folder / "log.db").is_file()


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def test_a_server_that_falls_silent_is_given_up_and_found_again(
    request: pytest.FixtureRequest, kind: str
) -> None:
    server: DatabaseServer = request.getfixturevalue(kind)
    url = server.create_database()
    migrate(open_engine(url))
    engine = open_engine(url, silence_seconds=SILENCE_SECONDS)

    with engine.connect() as connection:
        server.freeze()
        try:
            with pytest.raises(DatabaseError):
                connection.execute(select(PREDICTIONS.c.id))
        finally:
            server.thaw()
    insert_predictions(engine, [row("a")])

    assert [each["id"] for each in stored(engine)] == ["a"]
    engine.dispose()


def test_a_prediction_is_kept_as_it_was(engine: Engine) -> None:
    """To the microsecond and the last bit."""
    insert_predictions(engine, [row("a")])

    (kept,) = stored(engine)
    del kept["sequence"]
    assert kept == row("a")


def test_what_is_inserted_twice_stands_once(engine: Engine) -> None:
    insert_predictions(engine, [row("a"), row("b")])

    insert_predictions(engine, [row("b", label="well"), row("c"), row("c")])
    insert_predictions(engine, [])

    assert [(each["id"], each["label"]) for each in stored(engine)] == [
        ("a", "ill"),
        ("b", "ill"),
        ("c", "ill"),
    ]


def test_more_rows_than_fit_one_statement_are_inserted(engine: Engine) -> None:
    insert_predictions(engine, [row(f"{i:05d}") for i in range(2003)])

    assert [each["id"] for each in stored(engine)] == [f"{i:05d}" for i in range(2003)]


def test_a_row_that_does_not_fit_is_an_error_and_none_is_inserted(engine: Engine) -> None:
    """A duplicate is passed over; every other fault must not be."""
    with pytest.raises(DatabaseError):
        insert_predictions(engine, [row("a"), row("b", problem=None)])

    assert stored(engine) == []


def test_senders_of_the_same_predictions_do_not_get_in_each_others_way(engine: Engine) -> None:
    """As after an outage, when a segment may be shipped by two at once."""
    rows = [row(f"{i:04d}") for i in range(600)]
    barrier = Barrier(4, timeout=20)

    def send(turn: int) -> None:
        barrier.wait()
        insert_predictions(engine, rows if turn % 2 else list(reversed(rows)))

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(_outcome(send), range(4)))
    for _ in range(outcomes.count("failed")):
        insert_predictions(engine, rows)  # what a database refuses for a deadlock is sent again

    assert Counter(each["id"] for each in stored(engine)) == {each["id"]: 1 for each in rows}


def _outcome(send: Any) -> Any:
    def run(turn: int) -> str:
        try:
            send(turn)
        except DatabaseError:
            return "failed"
        return "sent"

    return run


def test_a_label_is_kept_once_for_a_known_prediction(engine: Engine) -> None:
    insert_predictions(engine, [row("a"), row("A")])

    outcomes = [
        add_label(engine, name, label)
        for name, label in [("a", "ill"), ("a", "ill"), ("a", "well"), ("b", "ill")]
    ]

    assert outcomes == ["added", "same", "different", "unknown"]
    assert sorted(each["id"] for each in stored(engine)) == ["A", "a"]
    assert count_labels(engine, "tiny") == 1
    assert count_labels(engine, "other") == 0


def test_no_prediction_is_known_before_there_are_tables(empty_url: str) -> None:
    """A service labels as soon as it answers; its shipper makes the tables meanwhile."""
    engine = open_engine(empty_url)

    before = add_label(engine, "a", "ill")
    migrate(engine)
    insert_predictions(engine, [row("a")])

    assert (before, add_label(engine, "a", "ill")) == ("unknown", "added")
    engine.dispose()


def test_of_eight_senders_at_once_exactly_one_adds_the_label(engine: Engine) -> None:
    names = [f"{i:02d}" for i in range(12)]
    insert_predictions(engine, [row(name) for name in names])
    barrier = Barrier(8, timeout=20)

    def send(turn: int) -> list[str]:
        outcomes = []
        for name in names:
            barrier.wait()
            outcomes.append(add_label(engine, name, "ill" if turn % 2 else "well"))
        return outcomes

    with ThreadPoolExecutor(8) as pool:
        by_turn = list(pool.map(send, range(8)))

    for i, name in enumerate(names):
        outcomes = Counter(outcomes[i] for outcomes in by_turn)
        assert outcomes["added"] == 1
        assert outcomes["same"] == 3
        assert outcomes["different"] == 4
        with engine.connect() as connection:
            kept = connection.execute(
                select(LABELS.c.label).where(LABELS.c.prediction_id == name)
            ).scalar_one()
        adder = next(turn for turn in range(8) if by_turn[turn][i] == "added")
        assert kept == ("ill" if adder % 2 else "well")


def test_old_inputs_are_purged_and_outcomes_stay(engine: Engine) -> None:
    ages = {"new": 0.0, "young": 29.9, "old": 30.1, "older": 300.0}
    insert_predictions(engine, [row(name, days_old=days) for name, days in ages.items()])

    first = purge_inputs(engine, days=30, now=NOW)
    again = purge_inputs(engine, days=30, now=NOW)

    assert (first, again) == (2, 0)
    kept = {each["id"]: each["inputs"] is not None for each in stored(engine)}
    assert kept == {"new": True, "young": True, "old": False, "older": False}
    assert all(each["probabilities"] for each in stored(engine))


def test_the_last_verdict_is_that_of_the_newest_row(engine: Engine) -> None:
    def verdict(key: str, problem: str, what: str) -> dict[str, Any]:
        shared = dict.fromkeys(("reasons", "evidence", "report_sha256", "report"), "")
        numbers = {"first_prediction": 0, "last_prediction": 0, "model_version": "7"}
        at = {"decided_at": NOW.replace(tzinfo=None)}
        return {"key": key, "problem": problem, "verdict": what} | shared | numbers | at

    with engine.begin() as connection:
        rows = [
            verdict("1", "tiny", "watch"),
            verdict("2", "tiny", "ok"),
            verdict("3", "x", "retrain"),
        ]
        connection.execute(VERDICTS.insert(), rows)

    assert last_verdict(engine, "tiny") == "ok"
    assert last_verdict(engine, "nothing") is None


@pytest.mark.parametrize(
    "kind", ["postgresql", "postgresql+psycopg", "mysql", "mysql+pymysql", "mariadb"]
)
def test_a_server_that_is_away_is_given_up_soon(kind: str) -> None:
    from tests.ports import free_ports

    (port,) = free_ports(1)
    engine = open_engine(f"{kind}://somebody@127.0.0.1:{port}/driftline")

    with pytest.raises(DatabaseError):
        insert_predictions(engine, [row("a")])


def test_many_processes_may_write_one_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    engine = open_engine(url)
    migrate(engine)
    script = (
        "import sys, json; from datetime import datetime\n"
        "from bentos.log.database import insert_predictions, open_engine\n"
        "row = json.loads(sys.argv[2]) | {'answered_at': datetime(2026, 1, 1)}\n"
        "engine = open_engine(sys.argv[1])\n"
        "for i in range(100): insert_predictions(engine, [row | {'id': sys.argv[3] + str(i)}])"
    )
    import json

    plain = json.dumps({k: v for k, v in row("a").items() if k != "answered_at"})
    processes = [
        subprocess.Popen([sys.executable, "-c", script, url, plain, name], cwd=ROOT, env=os.environ)
        for name in "abc"
    ]

    ends = [process.wait(60) for process in processes]

    assert ends == [0, 0, 0]
    assert len(stored(engine)) == 300
