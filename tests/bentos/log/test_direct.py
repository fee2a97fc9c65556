"""The log by a driver alone leaves what the log by SQLAlchemy leaves, on each kind of database."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from bentos.log import database
from bentos.log.direct import SQLITE_TABLES, DirectLog
from bentos.log.rows import prediction_rows
from bentos.log.tables import LABELS, ORDERS, PREDICTIONS
from bentos.log.writers import LogUnavailableError
from deployments.tables import render_tables
from tests.bentos.models import RECORD
from tests.ports import free_ports
from tests.support import ROOT


def entry(*ids: str) -> dict[str, Any]:
    """One request's predictions, as the API hands them over."""
    return {
        "time": 1_790_000_000.123456,
        "problem": "tiny",
        "version": "7",
        "predictions": [
            {
                "id": name,
                "inputs": {"age": 61, "level": None, "sex": "F's \u00e9"},
                "prediction": 1,
                "label": "ill",
                "probabilities": [0.1 + 0.2, 0.7],
                "confidence": 0.7,
                "risk": None,
            }
            for name in ids
        ],
    }


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=[pytest.mark.system, pytest.mark.postgres]),
        pytest.param("mariadb", marks=[pytest.mark.system, pytest.mark.mariadb]),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'direct' / 'log.db'}"
        return
    from tests.system.servers import start_mariadb, start_postgresql

    start = start_postgresql if request.param == "postgresql" else start_mariadb
    with start() as server:
        yield server.create_database()


def test_both_logs_write_the_same_rows(url: str) -> None:
    DirectLog(url).write(entry("a", "b"))
    engine = database.open_engine(url)
    database.insert_predictions(engine, prediction_rows(entry("c")))

    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(PREDICTIONS))]

    by_id = {row.pop("id"): row for row in rows}
    for row in rows:
        del row["sequence"]
    assert by_id["a"] == by_id["b"] == by_id["c"]


def test_a_prediction_that_is_written_twice_stands_once(url: str) -> None:
    log = DirectLog(url)

    log.write(entry("a"))
    log.write(entry("a", "b"))

    with database.open_engine(url).connect() as connection:
        ids = connection.execute(select(PREDICTIONS.c.id)).scalars().all()
    assert sorted(ids) == ["a", "b"]


def test_the_first_label_of_a_known_prediction_is_kept(url: str) -> None:
    log = DirectLog(url)
    log.write(entry("a"))

    outcomes = [log.label(*words) for words in (("a", "ill"), ("a", "ill"), ("a", "well"))]

    assert outcomes == ["added", "same", "different"]
    assert log.label("b", "ill") == "unknown"
    with database.open_engine(url).connect() as connection:
        kept = connection.execute(select(LABELS.c.prediction_id, LABELS.c.label)).all()
    assert [tuple(row) for row in kept] == [("a", "ill")]


def test_both_logs_order_the_same_checks(url: str) -> None:
    """Neither orders what the other has ordered, and what one has left out the other makes up."""
    log, engine = DirectLog(url), database.open_engine(url)
    names = [str(number) for number in range(12)]
    log.write(entry(*names))
    placed = []

    for number, name in enumerate(names):
        log.label(name, "ill")
        if number != 5:  # as if it had died after this label
            placed.append(log.order_checks("tiny", every=3))
        if number == 8:
            placed.append(database.order_checks(engine, "tiny", every=3))
    twin = database.place_order(engine, "tiny", "monitor", "labels:tiny:15")

    assert twin
    assert [key for keys in placed for key in keys] == [
        "labels:tiny:3",
        "labels:tiny:6",
        "labels:tiny:9",
        "labels:tiny:12",
    ]
    with engine.connect() as connection:
        rows = connection.execute(select(ORDERS).order_by(ORDERS.c.sequence)).mappings().all()
    assert [row["key"] for row in rows] == [f"labels:tiny:{count}" for count in range(3, 16, 3)]
    kept = [{k: v for k, v in row.items() if k not in {"key", "sequence"}} for row in rows]
    moments = [row.pop("changed_at") for row in kept]
    assert all(row == kept[-1] for row in kept)
    assert moments == sorted(moments)


def test_what_one_log_has_ordered_the_other_does_not_order(url: str) -> None:
    log, engine = DirectLog(url), database.open_engine(url)
    log.write(entry("a", "b", "c"))
    database.add_label(engine, "a", "ill")
    first = database.order_checks(engine, "tiny", every=1)
    log.label("b", "ill")

    placed = [log.order_checks("tiny", every=1), database.order_checks(engine, "tiny", every=1)]

    assert (first, placed) == (["labels:tiny:1"], [["labels:tiny:2"], []])


def test_both_logs_tell_which_check_has_waited_longest(url: str) -> None:
    log, engine = DirectLog(url), database.open_engine(url)
    log.write(entry("a"))
    oldest = [(log.oldest_open_check("tiny"), database.oldest_open_check(engine, "tiny"))]
    for problem, kind, key in (
        ("other", "monitor", "labels:other:1"),
        ("tiny", "train", "verdict:1"),
        ("tiny", "monitor", "labels:tiny:1"),
        ("tiny", "monitor", "labels:tiny:2"),
    ):
        database.place_order(engine, problem, kind, key)

    oldest += [(log.oldest_open_check("tiny"), database.oldest_open_check(engine, "tiny"))]
    with engine.begin() as connection:
        connection.execute(
            update(ORDERS).where(ORDERS.c.key == "labels:tiny:1").values(state="claimed")
        )
    oldest += [(log.oldest_open_check("tiny"), database.oldest_open_check(engine, "tiny"))]

    assert oldest == [(None, None), ("labels:tiny:1",) * 2, ("labels:tiny:2",) * 2]


def test_a_connection_that_has_died_is_opened_anew(url: str) -> None:
    log = DirectLog(url)
    log.write(entry("a"))
    log._connection.close()

    log.write(entry("b"))

    assert log.label("b", "ill") == "added"


def test_a_database_that_is_away_is_an_error_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    for address in (f"sqlite:///{tmp_path}/folder", "postgresql://127.0.0.1:9/x"):
        with pytest.raises(LogUnavailableError):
            DirectLog(address).write(entry("a"))


def test_the_tables_of_a_new_file_are_those_of_the_migrations(tmp_path: Path) -> None:
    assert SQLITE_TABLES.read_text() == render_tables(), "run: python -m deployments.tables"

    direct, migrated = tmp_path / "direct.db", tmp_path / "migrated.db"
    DirectLog(f"sqlite:///{direct}").write(entry("a"))
    database.migrate(database.open_engine(f"sqlite:///{migrated}"))

    assert tables(direct) == tables(migrated)


def tables(path: Path) -> list[tuple[str, ...]]:
    """Every table's columns and every index, as the file has them."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    return [
        (name, *map(str, connection.execute(f"PRAGMA table_info('{name}')").fetchall()))
        for (name,) in names
    ]


COLD = """
import json, sys
from bentos.lambda_handler import handler
record = json.loads(sys.argv[1])
body = json.dumps({"records": [record] * 100})
answer = handler({"httpMethod": "POST", "path": "/predict_batch", "body": body})
for each in json.loads(answer["body"])["predictions"]:
    label = json.dumps({"prediction_id": each["prediction_id"], "label": "ill"})
    assert handler({"httpMethod": "POST", "path": "/feedback", "body": label})["statusCode"] == 200
print(sorted({"sqlalchemy", "urllib.request"} & set(sys.modules)))
"""


def label_a_hundred(model: Path, url: str, **settings: str) -> str:
    """Predict and label 100 records behind the Lambda handler; the slow modules that it needed."""
    own = {"DRIFTLINE_MODEL_DIR": str(model), "DRIFTLINE_DATABASE_URL": url} | settings
    clean = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    words = [sys.executable, "-c", COLD, json.dumps(RECORD)]
    done = subprocess.run(
        words, cwd=ROOT, env=clean | own, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def ordered(url: str) -> list[str]:
    with database.open_engine(url).connect() as connection:
        return list(connection.execute(select(ORDERS.c.key)).scalars())


def test_a_lambda_orders_a_check_after_its_hundredth_label(
    model_folder: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"

    slow = label_a_hundred(model_folder, url)

    assert slow == "[]"
    assert ordered(url) == ["labels:tiny:100"]


def test_a_lambda_that_knows_a_prefect_server_rings_it(model_folder: Path, tmp_path: Path) -> None:
    url, rung = f"sqlite:///{tmp_path / 'log.db'}", []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            rung.append((self.path, json.loads(body)))
            self.send_response(204)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/api"
        label_a_hundred(model_folder, url, PREFECT_API_URL=address)
        server.shutdown()

    ((path, (event,)),) = rung
    assert path == "/api/events"
    assert event["event"] == "driftline.labels.counted"
    assert event["resource"]["prefect.resource.id"] == "driftline.problem.tiny"
    assert event["resource"]["driftline.starts-run"] == "true"
    assert event["payload"] == {"order": "labels:tiny:100"}


def test_a_prefect_server_that_is_away_costs_no_label(model_folder: Path, tmp_path: Path) -> None:
    url, (port,) = f"sqlite:///{tmp_path / 'log.db'}", free_ports(1)

    label_a_hundred(model_folder, url, PREFECT_API_URL=f"http://127.0.0.1:{port}/api")

    assert ordered(url) == ["labels:tiny:100"]
