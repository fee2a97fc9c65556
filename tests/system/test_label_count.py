"""Every 100 labels start one check, whoever writes, dies and claims at the same time."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from bentos.log.database import add_label, insert_predictions, migrate, open_engine, place_order
from bentos.log.tables import LABELS, ORDERS
from tests.support import make_problem, stop
from tests.system.labelling import EVERY, PROBLEM, claim_at_once, name_of, start, start_claimers
from tests.system.servers import start_mariadb, start_postgresql

pytestmark = pytest.mark.system

LABELS_IN_ALL, WRITERS, CLAIMERS = 10_000, 8, 3
ROUNDS, ORDERS_A_ROUND = 30, 5
SHARE = LABELS_IN_ALL // WRITERS
SERVERS = {"postgresql": start_postgresql, "mariadb": start_mariadb}


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=[pytest.mark.mariadb, pytest.mark.long]),
    ]
)
def url(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A new database of each kind, which the settings of this process name."""
    from tasks.settings import get_settings

    with ExitStack() as servers:
        address = f"sqlite:///{tmp_path / 'log.db'}"
        if request.param in SERVERS:
            address = servers.enter_context(SERVERS[request.param]()).create_database()
        monkeypatch.setenv("DRIFTLINE_DATABASE_URL", address)
        get_settings.cache_clear()
        yield address
    get_settings.cache_clear()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine on it, with its tables."""
    engine = open_engine(url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def claimers(engine: Engine, url: str) -> Iterator["list[subprocess.Popen[str]]"]:
    """Processes that claim orders when they are told."""
    del engine
    started = start_claimers(CLAIMERS, url)
    yield started
    for each in started:
        stop(each)


def predict(engine: Engine, count: int) -> None:
    shared = {
        "problem": PROBLEM,
        "model_version": "7",
        "answered_at": datetime(2026, 1, 1),  # noqa: DTZ001 - the column's moments are UTC
        "inputs": "{}",
        "prediction": 1,
        "label": "ill",
        "probabilities": "[0.3,0.7]",
        "confidence": 0.7,
        "risk_level": None,
    }
    insert_predictions(engine, [shared | {"id": name_of(number)} for number in range(count)])


def deliver(url: str, first: int, kills: list[tuple[int, float]]) -> int:
    """Have a share labelled by writers that are killed on their way; how many were killed.

    A kill comes so many answers after the writer's start, and so many seconds. The next writer
    takes up with the first label that the one before it had not answered.
    """
    killed, beyond = 0, first + SHARE
    while first < beyond:
        writer = start("write", str(first), str(beyond), url=url)
        answers, moment = kills.pop() if kills else (SHARE, 0.0)
        assert writer.stdout is not None
        first += len([*islice(writer.stdout, answers)])
        if answers < SHARE:
            time.sleep(moment)
            writer.kill()
        first += writer.communicate()[0].count("\n")
        killed += writer.returncode == -signal.SIGKILL
        assert writer.returncode in {0, -signal.SIGKILL}
    return killed


def orders(engine: Engine) -> Counter[str]:
    with engine.connect() as connection:
        return Counter(connection.execute(select(ORDERS.c.key)).scalars())


def test_10_000_labels_of_8_writers_some_killed_are_exactly_100_starts(
    url: str, engine: Engine, claimers: "list[subprocess.Popen[str]]"
) -> None:
    from tasks.log.orders import open_orders

    predict(engine, LABELS_IN_ALL)
    rng = random.Random(7)
    plans = [
        [(rng.randint(50, 500), rng.uniform(0, 0.01)) for _ in range(n % 3)] for n in range(WRITERS)
    ]
    begun, claimed = time.monotonic(), []

    with ThreadPoolExecutor(WRITERS) as pool:
        shares = [pool.submit(deliver, url, n * SHARE, plan) for n, plan in enumerate(plans)]
        while not all(share.done() for share in shares):
            claimed += claim_at_once(claimers)
            time.sleep(0.2)
    killed = sum(share.result() for share in shares)
    seconds = time.monotonic() - begun
    ordered = len(orders(engine))
    open_orders.fn(make_problem(name=PROBLEM))
    claimed += claim_at_once(claimers)

    with engine.connect() as connection:
        labels = connection.execute(select(func.count()).select_from(LABELS)).scalar_one()
    print(f"{seconds:.1f} s, {killed} killed, {ordered} ordered before the sweep")  # noqa: T201
    wanted = Counter(f"labels:{PROBLEM}:{count}" for count in range(EVERY, 10_001, EVERY))
    assert killed >= 6
    assert labels == LABELS_IN_ALL
    assert orders(engine) == wanted
    assert Counter(claimed) == wanted


def test_an_order_is_claimed_by_one_run_however_many_ask_at_once(
    engine: Engine, claimers: "list[subprocess.Popen[str]]"
) -> None:
    wanted = [f"{turn}:{number}" for turn in range(ROUNDS) for number in range(ORDERS_A_ROUND)]
    claimed = []

    for turn in range(ROUNDS):
        for number in range(ORDERS_A_ROUND):
            place_order(engine, PROBLEM, "monitor", f"{turn}:{number}")
        claimed += claim_at_once(claimers)

    assert sorted(claimed) == sorted(wanted)


def test_checks_that_a_dying_service_did_not_order_are_made_up_by_the_sweep(engine: Engine) -> None:
    from tasks.log.orders import open_orders

    predict(engine, 250)
    for number in range(250):
        add_label(engine, name_of(number), "ill")

    waiting = [open_orders.fn(make_problem(name=PROBLEM)) for _ in range(2)]

    assert waiting == [{"monitor": 2}, {"monitor": 2}]
    assert sorted(orders(engine)) == [f"labels:{PROBLEM}:{count}" for count in (100, 200)]
