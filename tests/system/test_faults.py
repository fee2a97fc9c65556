"""What the service must survive: being killed, a database away or hanging, a full disk."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.bentos.models import RECORD, write_tiny_model
from tests.support import lacking
from tests.system.servers import DatabaseServer, start_postgresql
from tests.system.service import Load, Service, await_that, command_of, rows_by_id, serving

pytestmark = pytest.mark.system
WORKER_KILLS = 2  # their supervisor waits 10 s before the next one
OUTAGE_SECONDS, HANG_SECONDS = 20.0, 8.0
SPOOL_DISK_KILOBYTES = 512
SHIPPED_SECONDS = 240.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model."""
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def postgresql() -> Iterator[DatabaseServer]:
    """A real PostgreSQL server."""
    with start_postgresql() as server:
        yield server


def assert_all_there_once(service: Service, ids: list[str]) -> int:
    """Every answered prediction is in the database exactly once; returns the number of rows."""

    def is_all_there() -> bool:
        return set(ids) <= rows_by_id(service.database_url).keys()

    with suppress(TimeoutError):  # what is missing is told below
        await_that(is_all_there, SHIPPED_SECONDS)
    rows = rows_by_id(service.database_url)
    assert [each for each in ids if rows[each] != 1] == []
    return sum(rows.values())


@pytest.mark.parametrize("kills", [8, pytest.param(18, marks=pytest.mark.long)])
def test_kills_at_random_moments_lose_and_double_nothing(
    model: Path, tmp_path: Path, kills: int
) -> None:
    """Now the service and its shipper, now the service alone, now its worker."""
    rng = random.Random(7)
    service = Service(model, tmp_path / "home", f"sqlite:///{tmp_path / 'predictions.db'}")
    ids: list[str] = []

    for turn in range(kills):
        service.start()
        with Load(service.port, RECORD) as load:
            await_that(lambda: bool(load.ids))
            time.sleep(rng.uniform(0.0, 1.5))
            service.kill(with_shipper=turn % 2 == 0)
        ids += load.ids
    with serving(service):
        for _ in range(WORKER_KILLS):
            with Load(service.port, RECORD) as load:
                time.sleep(rng.uniform(0.2, 1.5))
                service.kill_worker()
                await_that(lambda: service.status("/readyz") == 200, 60.0)
            ids += load.ids

    rows = assert_all_there_once(service, ids)
    assert len(set(ids)) == len(ids) > 20 * (kills + WORKER_KILLS)
    print(f"{kills + WORKER_KILLS} kills, {len(ids)} answers, {rows} rows")  # noqa: T201 - for who runs it with -s


@pytest.mark.postgres
def test_an_outage_of_the_database_fails_and_loses_nothing(
    model: Path, tmp_path: Path, postgresql: DatabaseServer
) -> None:
    """Predictions are answered all along; what was sent after the stop, before the next start."""
    service = Service(model, tmp_path / "home", postgresql.create_database())
    with serving(service), Load(service.port, RECORD, pause_seconds=0.01) as load:
        await_that(lambda: bool(rows_by_id(service.database_url)))
        postgresql.stop()
        stopped = time.monotonic()
        while time.monotonic() < stopped + OUTAGE_SECONDS:
            assert service.status("/metrics") == 200
            await_further(load)
        label = service.post("/feedback", {"prediction_id": load.ids[0], "label": "ill"})
        postgresql.start()

    print(f"{len(load.ids)} answers")  # noqa: T201
    assert (load.refused, load.broken) == ([], 0)
    assert (label[0], label[1]["error"]["code"]) == (503, "log_unavailable")
    rows = assert_all_there_once(service, load.ids)
    assert rows == len(load.ids)


def await_further(load: Load) -> None:
    """Wait until as many predictions more have been answered as were certainly sent from now on."""
    seen = len(load.ids) + load.clients
    await_that(lambda: len(load.ids) > seen)


@pytest.mark.postgres
def test_a_database_that_hangs_holds_up_labels_alone(
    model: Path, tmp_path: Path, postgresql: DatabaseServer
) -> None:
    """It takes connections and never answers, as a host in trouble does."""
    service = Service(model, tmp_path / "home", postgresql.create_database())
    batch = {"records": [RECORD] * 3000}  # large enough for a thread of its own
    with serving(service), Load(service.port, RECORD, pause_seconds=0.01) as load:
        await_that(lambda: bool(rows_by_id(service.database_url)))
        feedback = {"prediction_id": load.ids[0], "label": "ill"}
        service.post("/feedback", feedback)
        postgresql.freeze()
        try:
            with ThreadPoolExecutor(20) as pool:
                labels = [pool.submit(service.post, "/feedback", feedback) for _ in range(20)]
                time.sleep(1.0)
                hung_at = time.monotonic()
                while time.monotonic() < hung_at + HANG_SECONDS:
                    assert service.post("/predict_batch", batch)[0] == 200
                    await_further(load)
                postgresql.thaw()
                statuses = {each.result()[0] for each in labels}
        finally:
            postgresql.thaw()

    assert (load.refused, load.broken) == ([], 0)
    assert statuses <= {200, 503}
    with serving(service):  # what was too much for the last round before its stop is sent now
        assert_all_there_once(service, load.ids)


def test_a_full_spool_disk_is_told_and_forgotten_once_there_is_room(
    model: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={SPOOL_DISK_KILOBYTES}k", "tmpfs", str(disk)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        lacking("the right to mount a tmpfs")
    url = f"sqlite:///{tmp_path / 'predictions.db'}"
    service = Service(model, tmp_path / "home", url, {"DRIFTLINE_SPOOL_DIR": str(disk / "spool")})
    ballast = disk / "ballast"
    try:
        with serving(service):
            first = service.post("/predict", RECORD)
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 4096)
            full = [service.post("/predict", RECORD) for _ in range(100)]
            batch = service.post("/predict_batch", {"records": [RECORD] * 200})
            ready, metrics = service.status("/readyz"), service.get("/metrics")
            ballast.unlink()
            await_that(lambda: service.status("/readyz") == 200)
            again = [service.post("/predict", RECORD) for _ in range(10)]
    finally:
        subprocess.run(["umount", str(disk)], check=True)

    refused = [body["error"]["code"] for status, body in [*full, batch] if status == 503]
    answered = [first, *(each for each in full if each[0] == 200), *again]
    assert set(refused) == {"log_unavailable"}
    assert full[-1][0] == batch[0] == 503
    assert (ready, 'code="log_unavailable"' in metrics) == (503, True)
    assert 'driftline_part_up{part="spool"} 0.0' in metrics
    assert {status for status, _ in again} == {200}
    rows = assert_all_there_once(service, [body["prediction_id"] for _, body in answered])
    assert rows == len(answered)


def test_a_service_starts_on_a_full_disk_and_serves_once_there_is_room(
    model: Path, tmp_path: Path
) -> None:
    """What asks whether it lives ended its worker, again and again: figures were mapped files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        lacking("the right to mount a tmpfs")
    own = {"BENTOML_HOME": str(disk / "bentoml"), "DRIFTLINE_SPOOL_DIR": str(disk / "spool")}
    service = Service(model, tmp_path / "home", f"sqlite:///{disk / 'predictions.db'}", own)
    ballast = disk / "ballast"
    try:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        service.launch()
        await_that(lambda: service.status("/livez") == 200, seconds=60)
        workers = service.family()
        lives = [service.status("/livez") for _ in range(5)]
        refused = service.post("/predict", RECORD)
        await_that(lambda: "no room is left" in service.output)
        ready = service.status("/readyz")
        still = service.family()
        ballast.unlink()
        await_that(lambda: service.status("/readyz") == 200)
        again = service.post("/predict", RECORD)
    finally:
        service.stop()
        subprocess.run(["umount", str(disk)], check=True)

    assert lives == [200] * 5
    assert set(workers) <= set(still)
    assert (refused[0], refused[1]["error"]["code"], ready) == (503, "log_unavailable", 503)
    assert again[0] == 200


def test_a_shipper_that_is_killed_is_replaced(model: Path, tmp_path: Path) -> None:
    service = Service(model, tmp_path / "home", f"sqlite:///{tmp_path / 'predictions.db'}")
    with serving(service):
        (shipper,) = [pid for pid in service.family() if "bentos.log.shipper" in command_of(pid)]
        service.signal(shipper, signal.SIGKILL)
        _, answer = service.post("/predict", RECORD)

        await_that(lambda: service.post("/feedback", _label(answer))[0] == 200)

    assert_all_there_once(service, [answer["prediction_id"]])


def test_a_worker_whose_main_process_is_killed_ends_and_leaves_the_port(
    model: Path, tmp_path: Path
) -> None:
    service = Service(model, tmp_path / "home", f"sqlite:///{tmp_path / 'predictions.db'}")
    service.start()
    assert service.process is not None
    family = service.family()
    _, answer = service.post("/predict", RECORD)

    service.signal(service.process.pid, signal.SIGKILL)
    service.process.wait()
    await_that(lambda: not any("bento" in command_of(pid) for pid in family), 60.0)

    with serving(service):  # on the same port
        assert_all_there_once(service, [answer["prediction_id"]])


def test_labels_through_another_replica_right_after_the_answer_are_told_to_wait(
    model: Path, tmp_path: Path
) -> None:
    """Two replicas with spools of their own and one database, which gets the prediction soon."""
    url = f"sqlite:///{tmp_path / 'predictions.db'}"
    one, other = (Service(model, tmp_path / name, url) for name in ("one", "other"))
    with serving(one), serving(other):
        outcomes = []
        for _ in range(40):
            _, answer = one.post("/predict", RECORD)
            status, body = other.post("/feedback", _label(answer))
            outcomes.append((status, body.get("error", body).get("code")))
        await_that(lambda: other.post("/feedback", _label(answer))[0] == 200)
        unknown = other.post("/feedback", {"prediction_id": "0" * 32, "label": "ill"})

    assert set(outcomes) <= {(503, "not_yet"), (200, None)}
    assert (503, "not_yet") in outcomes
    assert unknown[0] == 404


def _label(answer: dict[str, str]) -> dict[str, str]:
    return {"prediction_id": answer["prediction_id"], "label": "ill"}
