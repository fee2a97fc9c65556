"""The durable mode: no answer leaves before what it tells is on the disk."""

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from bentos.api import Api
from bentos.http.commit import GroupCommit
from bentos.http.hotpath import HotPath
from bentos.log.spool import HAND_OVER_SECONDS, SpoolFullError, SpoolWriter
from bentos.log.writers import LogUnavailableError, SpoolLog
from bentos.predictor import Predictor
from tests.bentos.clients import Client, call, fallback
from tests.bentos.models import RECORD

BODY = json.dumps(RECORD).encode()
BATCH = json.dumps({"records": [RECORD] * 2}).encode()


class Order(list[str]):
    """What happened, in order; syncs of the spool are recorded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin to record."""
        super().__init__()
        sync, write = os.fsync, SpoolWriter.append

        def fsync(fd: int) -> None:
            sync(fd)
            self.append("synced")

        def append(writer: SpoolWriter, lines: bytes) -> None:
            write(writer, lines)
            self.append("written")

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(SpoolWriter, "append", append)


class Telling(Client):
    """A client that records when its answer leaves."""

    order: Order

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.order.append("answered")
        await super().send(message)


def asked(path: HotPath, order: Order, body: bytes, where: str) -> int:
    client = Telling([body])
    client.order = order
    return call(path, client, where).status


@pytest.fixture
def durable(predictor: Predictor, tmp_path: Path) -> HotPath:
    """The hot path over a durable spool, whose database is away."""
    (tmp_path / "log.db").mkdir()
    log = SpoolLog(tmp_path / "spool", f"sqlite:///{tmp_path / 'log.db'}", is_durable=True)
    log._is_closed.set()
    log._keeper.join()
    log._shipper.finish(0)
    path = HotPath()
    path.api, path.fallback, path.commit = Api(predictor, log), fallback, GroupCommit(log.sync)
    return path


@pytest.mark.parametrize(("where", "body"), [("/predict", BODY), ("/predict_batch", BATCH)])
def test_an_answer_leaves_after_its_line_is_synced(
    durable: HotPath, monkeypatch: pytest.MonkeyPatch, where: str, body: bytes
) -> None:
    order = Order(monkeypatch)

    assert asked(durable, order, body, where) == 200

    assert order == ["written", "synced", "answered"]


def test_what_tells_of_no_prediction_waits_for_no_sync(
    durable: HotPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order(monkeypatch)

    assert asked(durable, order, b"{}", "/predict") == 422

    assert "synced" not in order


def test_without_the_mode_nothing_is_synced(
    durable: HotPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order(monkeypatch)
    durable.commit = None

    assert asked(durable, order, BODY, "/predict") == 200

    assert order == ["written", "answered"]


def test_an_answer_that_cannot_be_synced_does_not_leave(
    durable: HotPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)

    client = call(durable, Client([BODY]))

    assert client.status == 503
    assert json.loads(client.body)["error"]["code"] == "log_unavailable"


def test_answers_that_come_while_one_is_synced_share_the_next_sync() -> None:
    syncs: list[int] = []
    is_syncing, may_go_on = threading.Event(), threading.Event()

    def sync() -> None:
        syncs.append(1)
        is_syncing.set()
        assert may_go_on.wait(30)

    async def scenario() -> None:
        commit = GroupCommit(sync)
        first = asyncio.create_task(commit.wait())
        await asyncio.to_thread(is_syncing.wait, 30)
        others = [asyncio.create_task(commit.wait()) for _ in range(50)]
        others[7].cancel()  # a client that has left
        await asyncio.sleep(0)
        may_go_on.set()
        await asyncio.gather(first, *others, return_exceptions=True)
        await commit.wait()  # and it goes on afterwards

    asyncio.run(scenario())

    assert len(syncs) == 3


def test_all_who_wait_are_told_of_a_failure_and_the_next_are_not() -> None:
    outcomes = iter([LogUnavailableError(), None])

    def sync() -> None:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome

    async def scenario() -> list[object]:
        commit = GroupCommit(sync)
        told = await asyncio.gather(commit.wait(), commit.wait(), return_exceptions=True)
        await commit.wait()
        return list(told)

    assert [type(each) for each in asyncio.run(scenario())] == [LogUnavailableError] * 2


def test_a_segment_is_synced_before_it_is_left_and_its_name_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def fsync(fd: int) -> None:
        sync(fd)
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().suffix)

    monkeypatch.setattr(os, "fsync", fsync)
    writer = SpoolWriter(tmp_path, is_durable=True)
    writer.append(b'{"id":"a"}\n')
    writer._since -= HAND_OVER_SECONDS
    writer.hand_over()
    writer.close()

    assert synced == ["", "", ".jsonl", ".jsonl"]  # folder; folder, left; closed


def test_a_segment_that_was_left_without_a_sync_fails_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SpoolWriter(tmp_path, is_durable=True)
    writer.append(b'{"id":"a"}\n')
    writer._since -= HAND_OVER_SECONDS
    sync = os.fsync

    def fail(fd: int) -> None:
        if Path(f"/proc/self/fd/{fd}").readlink().suffix == ".jsonl":
            raise OSError(5, "Input/output error")
        sync(fd)

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        writer.hand_over()

    with pytest.raises(SpoolFullError):
        writer.sync()
    writer.sync()
    writer.close()


def test_a_spool_whose_syncs_fail_is_down_until_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SpoolWriter(tmp_path, is_durable=True)

    def fail(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(SpoolFullError):
            writer.sync()
        while_broken = writer.look()

    assert while_broken == ("down", "cannot be written (Input/output error)")
    assert writer.look() == ("up", "")
    writer.close()
