"""The real service under `bentoml serve`, and clients that load it and keep what was answered."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pandas as pd
from sqlalchemy import select

from bentos.log.database import DatabaseError, open_engine
from bentos.log.tables import PREDICTIONS
from tests.ports import free_ports
from tests.support import ROOT
from tests.system.servers import children

START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass
class Service:
    """One service: its model, its state folder, its address, and its processes while it runs."""

    model: Path
    home: Path
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_ports(1)[0])
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """All that it has written."""
        return (self.home / "service.log").read_text(errors="replace")

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start it without waiting for anything."""
        words = ["bentoml", "serve", "bentos.service:Service"]
        words += ["--host", "127.0.0.1", "--port", str(self.port)]
        return self.run(words, {"DRIFTLINE_MODEL_DIR": str(self.model)})

    def run(self, words: list[str], more: dict[str, str]) -> "subprocess.Popen[bytes]":
        """Start a module of this Python with the service's settings."""
        self.home.mkdir(exist_ok=True)
        env = os.environ | {
            "DRIFTLINE_HOME": str(self.home),
            "DRIFTLINE_DATABASE_URL": self.database_url,
            "BENTOML_HOME": str(self.home / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "true",
        }
        with (self.home / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=env | self.settings | more,
                stdout=log,
                stderr=log,
            )
        return self.process

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        process = self.launch()
        self.await_ready(process)

    def await_ready(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until it is ready; its output where it ends before."""
        await_that(
            lambda: process.poll() is not None or self.status("/readyz") == 200, START_SECONDS
        )
        assert process.poll() is None, self.output[-2000:]

    def family(self) -> list[int]:
        """The supervisor and everything below it."""
        assert self.process is not None
        return [self.process.pid, *children(self.process.pid)]

    def kill(self, *, with_shipper: bool) -> None:
        """Kill -9 of all of its processes at once; a shipper that is left has lost its service."""
        assert self.process is not None
        family = self.family()
        spared = set() if with_shipper else {pid for pid in family if _is_shipper(pid)}
        for pid in family:
            if pid not in spared:
                self.signal(pid, signal.SIGKILL)
        self.process.wait()

    def kill_worker(self) -> None:
        """Kill -9 of the process that answers; its supervisor starts another."""
        assert self.process is not None
        for pid in self.family()[1:]:
            if not _is_shipper(pid):
                self.signal(pid, signal.SIGKILL)

    @staticmethod
    def signal(pid: int, number: int) -> None:
        """Signal a process, if it is still there."""
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def stop(self) -> int:
        """End it as its operator would; returns its exit code."""
        assert self.process is not None
        family = self.family()
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            for pid in family:
                if "bento" in command_of(pid):
                    self.signal(pid, signal.SIGKILL)

    def status(self, path: str) -> int | None:
        """Status of a GET, or None where nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def get(self, path: str) -> str:
        """Body of a GET."""
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return str(reply.read().decode())

    def post(self, path: str, document: Any) -> tuple[int, Any]:
        """Status and body of a POST."""
        with Client(self.port) as client:
            return client.post(path, json.dumps(document).encode())


class Client:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        """Connect with the first request."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __enter__(self) -> Self:
        """Close at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self._connection.close()

    def post(
        self, path: str, body: bytes, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and body of a POST; `OSError` or `HTTPException` where there is none."""
        try:
            self._connection.request("POST", path, body, headers or {})
            reply = self._connection.getresponse()
            text = reply.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return reply.status, json.loads(text)


class Load:
    """Clients that predict as fast as told, until the block ends."""

    def __init__(
        self, port: int, record: dict[str, Any], *, clients: int = 3, pause_seconds: float = 0.0
    ) -> None:
        """Each client sends its next request a pause after its last answer."""
        self.clients = clients
        self.ids: list[str] = []  # of all predictions that were answered
        self.refused: list[int] = []
        self.broken = 0
        self._port, self._body, self._pause = port, json.dumps(record).encode(), pause_seconds
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._send_on) for _ in range(clients)]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, with the last answers in."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _send_on(self) -> None:
        with Client(self._port) as client:
            while not self._is_over.wait(self._pause):
                try:
                    status, body = client.post("/predict", self._body)
                except (OSError, http.client.HTTPException, ValueError):
                    self.broken += 1
                    time.sleep(0.02)
                    continue
                if status == 200:
                    self.ids.append(body["prediction_id"])
                else:
                    self.refused.append(status)


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """The service from its first readiness until the block ends."""
    try:
        service.start()
        yield service
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop()


def await_that(is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to come about."""
    give_up = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up:
            message = f"it did not come about within {seconds:g} s"
            raise TimeoutError(message)
        time.sleep(0.05)


def label_reversed(service: Service, rows: pd.DataFrame) -> None:
    """Predict the tiny problem's rows; their true labels say the opposite of what it has learnt."""
    records = rows.drop(columns="outcome").astype("object")
    records = records.where(records.notna(), None).to_dict(orient="records")
    status, body = service.post("/predict_batch", {"records": records})
    assert status == 200
    for answer, outcome in zip(body["predictions"], rows["outcome"], strict=True):
        label = {"prediction_id": answer["prediction_id"], "label": "well" if outcome else "ill"}
        assert service.post("/feedback", label)[0] == 200


def rows_by_id(url: str) -> Counter[str]:
    """How many rows the database has for each prediction; none while it has no tables."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return Counter(connection.execute(select(PREDICTIONS.c.id)).scalars())
    except DatabaseError:
        return Counter()
    finally:
        engine.dispose()


def command_of(pid: int) -> str:
    """The command line of a process, empty once it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def resident_megabytes(pids: list[int]) -> float:
    """Resident memory of processes."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _is_shipper(pid: int) -> bool:
    return "bentos.log.shipper" in command_of(pid)
