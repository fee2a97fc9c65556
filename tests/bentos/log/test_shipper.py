import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from bentos.log.database import insert_predictions, migrate, open_engine
from bentos.log.rows import prediction_rows
from bentos.log.shipper import SEGMENTS_AT_ONCE, purge, run, ship
from bentos.log.spool import list_segments
from bentos.log.tables import PREDICTIONS
from tests.bentos.log.spooling import columns, entry, ids_in, spooled
from tests.system.servers import DatabaseServer


def test_everything_is_shipped_and_the_spool_is_empty(engine: Engine, spool: Path) -> None:
    spooled(spool, entry("a", "b"), entry("c"))
    spooled(spool, entry("d"), columns("e", "f"))

    shipped = ship(engine, spool)

    assert shipped == 4
    assert sorted(ids_in(engine)) == ["a", "b", "c", "d", "e", "f"]
    assert list_segments(spool) == []
    assert ship(engine, spool) == 0


def test_what_is_shipped_twice_stands_once(engine: Engine, spool: Path) -> None:
    """A shipper that dies between the insert and the removal leaves its segment to the next."""
    spooled(spool, entry("a", "b"))
    (path,) = list_segments(spool)
    content = path.read_bytes()
    ship(engine, spool)
    path.write_bytes(content)

    ship(engine, spool)

    assert sorted(ids_in(engine)) == ["a", "b"]
    assert list_segments(spool) == []


class Rounds:
    """Ends a shipper after some rounds, and lets the test act between them."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        """One act before each round."""
        self._acts = list(acts)
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> bool:
        """Act instead of waiting; over with the last act."""
        self.pauses.append(seconds)
        self._acts.pop(0)()
        return not self._acts


def nothing() -> None:
    """Let a round pass."""


def test_a_database_that_is_away_at_the_start_is_waited_for(spool: Path, tmp_path: Path) -> None:
    """A folder in place of the SQLite file cannot be opened; then it is gone."""
    path = tmp_path / "log.db"
    path.mkdir()
    spooled(spool, entry("a"))
    rounds = Rounds(nothing, nothing, path.rmdir, nothing)

    run(spool, f"sqlite:///{path}", is_over=rounds)

    assert ids_in(open_engine(f"sqlite:///{path}")) == ["a"]
    assert list_segments(spool) == []
    assert rounds.pauses[:3] == sorted(rounds.pauses[:3])
    assert rounds.pauses[2] > rounds.pauses[0]
    assert rounds.pauses[3] == rounds.pauses[0]


def test_what_came_last_is_shipped_before_the_end(spool: Path, url: str) -> None:
    run(spool, url, is_over=Rounds(lambda: spooled(spool, entry("last"))))

    assert ids_in(open_engine(url)) == ["last"]


def test_a_segment_that_nobody_can_read_does_not_stop_the_others(spool: Path, url: str) -> None:
    spool.mkdir()
    (spool / "00000000000000000001-a.jsonl").write_bytes(b'{"torn{"time": 1}\n')
    spooled(spool, entry("a"))

    run(spool, url, is_over=Rounds(nothing, nothing))

    assert ids_in(open_engine(url)) == ["a"]
    assert len(list(spool.glob("*.damaged"))) == 1


def test_many_segments_are_shipped_in_few_transactions(engine: Engine, spool: Path) -> None:
    for i in range(SEGMENTS_AT_ONCE + 1):
        spooled(spool, entry(f"{i}"))
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)

    ship(engine, spool)

    assert len(ids_in(engine)) == SEGMENTS_AT_ONCE + 1
    assert len(commits) == 2


def test_a_large_segment_is_shipped_in_a_transaction_of_its_own(
    engine: Engine, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has been committed stays so when the shipper is killed in the next one."""
    for each in "abc":
        spooled(spool, entry(each))
    size = list_segments(spool)[0].stat().st_size
    monkeypatch.setattr("bentos.log.shipper.BYTES_AT_ONCE", size * 5 // 2)
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)

    ship(engine, spool)

    assert sorted(ids_in(engine)) == ["a", "b", "c"]
    assert len(commits) == 2


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def test_a_busy_half_minute_takes_few_more_statements_than_a_quiet_one(
    request: pytest.FixtureRequest, spool: Path, kind: str
) -> None:
    """Over a network of half a second a round trip, the spool must not grow without end."""
    server: DatabaseServer = request.getfixturevalue(kind)
    engine = open_engine(server.create_database())
    migrate(engine)
    asked: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(*words: Any) -> None:
        asked.append(words[2])

    turns = []
    for number, rows in enumerate((1, 150)):
        asked.clear()
        for i in range(SEGMENTS_AT_ONCE):
            spooled(spool, entry(*(f"{number}-{i}-{j}" for j in range(rows))))
        assert ship(engine, spool) == SEGMENTS_AT_ONCE
        turns.append(len(asked))

    assert turns[1] <= turns[0] + 1


def test_whatever_goes_wrong_the_shipper_goes_on(
    spool: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled(spool, entry("a"))
    tries: list[str] = []

    def fail_once(engine: Engine, folder: Path) -> int:
        tries.append("once")
        if len(tries) == 1:
            raise RuntimeError
        return ship(engine, folder)

    monkeypatch.setattr("bentos.log.shipper.ship", fail_once)

    run(spool, url, is_over=Rounds(nothing, nothing))

    assert ids_in(open_engine(url)) == ["a"]


def test_a_shipper_tells_what_keeps_it(spool: Path, tmp_path: Path) -> None:
    """And that it goes on again."""
    path, told = tmp_path / "log.db", []
    path.mkdir()
    rounds = Rounds(nothing, nothing, path.rmdir, nothing)

    run(spool, f"sqlite:///{path}", is_over=rounds, tell=lambda *words: told.append(words))

    (health, why), *rest = told
    assert (health, rest) == ("degraded", [("up", "")])
    assert why.startswith("log.db: cannot be written or opened; wanted ")


def test_a_damaged_database_is_named_with_a_remedy_and_the_spool_waits(
    spool: Path, tmp_path: Path
) -> None:
    path, told = tmp_path / "predictions.db", []
    path.write_bytes(b"SQLite format 3\0" + b"damaged" * 1000)
    spooled(spool, entry("a"))

    run(
        spool,
        f"sqlite:///{path}",
        is_over=Rounds(nothing, nothing, lambda: path.rename(tmp_path / "aside"), nothing),
        tell=lambda *words: told.append(words),
    )

    (_, why), *rest = told
    assert why.startswith("predictions.db: is damaged, or no SQLite database; bring it back")
    assert rest == [("up", "")]
    assert ids_in(open_engine(f"sqlite:///{path}")) == ["a"]


def test_old_inputs_are_forgotten_where_a_retention_is_set(
    spool: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=40)).timestamp()
    spooled(spool, entry("old", at=long_ago), entry("new"))
    monkeypatch.setenv("DRIFTLINE_RETENTION_DAYS", "30")

    run(spool, url, is_over=Rounds(nothing))

    with open_engine(url).connect() as connection:
        rows = connection.execute(select(PREDICTIONS.c.id, PREDICTIONS.c.inputs))
        kept = dict(map(tuple, rows))
    assert kept == {"old": None, "new": '{"x":1}'}


def test_without_a_retention_nothing_is_forgotten(
    url: str, monkeypatch: pytest.MonkeyPatch, spool: Path
) -> None:
    monkeypatch.delenv("DRIFTLINE_RETENTION_DAYS", raising=False)
    spooled(spool, entry("old", at=1.0))
    run(spool, url, is_over=Rounds(nothing))

    purge(open_engine(url))

    with open_engine(url).connect() as connection:
        assert connection.execute(select(PREDICTIONS.c.inputs)).scalar_one() == '{"x":1}'


def test_shippers_beside_each_other_ship_each_prediction_once(engine: Engine, spool: Path) -> None:
    for i in range(40):
        spooled(spool, entry(*(f"{i}-{j}" for j in range(5))))

    threads = [threading.Thread(target=ship, args=(engine, spool)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ship(engine, spool)

    assert Counter(ids_in(engine)) == {f"{i}-{j}": 1 for i in range(40) for j in range(5)}


def test_predictions_that_stand_already_do_not_stop_the_new_ones(
    engine: Engine, spool: Path
) -> None:
    spooled(spool, entry("a", "b"))
    insert_predictions(engine, prediction_rows(entry("b")))

    ship(engine, spool)

    assert sorted(ids_in(engine)) == ["a", "b"]
