"""The real Prometheus and Alertmanager over a driven service and the report server beside it."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from deployments.monitoring.alert import Pace
from deployments.monitoring.place import place
from tests.bentos.models import RECORD
from tests.deployments.monitoring.tools import find
from tests.house.documents import CONTRIBUTING, block, section
from tests.ports import free_ports
from tests.receivers import HttpReceiver, Mailbox
from tests.support import ROOT
from tests.system.servers import DatabaseServer
from tests.system.service import Service, await_that

PACE = Pace(interval_seconds=1, window_seconds=5, hold=1 / 60)
PATIENCE_SECONDS = 90.0
FOLDER = ".driftline/monitoring"
LABELLED_LATER = 60  # answers, so that they are in the database by then


@dataclass
class Program:
    """A program that is started, ended and started again, with a log of its own."""

    words: list[str]
    env: dict[str, str]
    log: Path
    url: str
    process: "subprocess.Popen[bytes] | None" = None

    def launch(self) -> None:
        """Start it without waiting for anything."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.words, cwd=ROOT, env=self.env, stdout=out, stderr=out
            )

    def start(self) -> None:
        """Start it, and wait for its first answer."""
        self.launch()
        await_that(self.answers, PATIENCE_SECONDS)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def answers(self) -> bool:
        """Whether it answers; its log where it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
        try:
            urllib.request.urlopen(self.url, timeout=10).close()
        except OSError:
            return False
        return True


@dataclass
class Told:
    """What became of an alert, in seconds after its cause came, and after it went."""

    fired: float = 0.0
    delivered: float = 0.0
    cleared: float = 0.0
    cleared_delivered: float = 0.0


@dataclass
class Alarm:
    """Everything that runs, and who is told."""

    service: Service
    database: DatabaseServer
    engine: Engine
    reports: Program
    prometheus: str
    project: Path
    hook: HttpReceiver
    slack: HttpReceiver
    topic: HttpReceiver
    mailbox: Mailbox
    told: dict[str, Told] = field(default_factory=dict)

    def query(self, text: str) -> list[dict[str, Any]]:
        """The series of a query, as they are now."""
        words = urllib.parse.urlencode({"query": text})
        found = self._ask(f"/api/v1/query?{words}")
        series: list[dict[str, Any]] = found["result"]
        return series

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        alerts = self._ask("/api/v1/alerts")["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def notified(self, name: str, status: str) -> bool:
        """Whether the webhook's newest word on an alert is this."""
        told = [json.loads(each.body) for each in list(self.hook.posted)]
        mine = [each for each in told if each["groupLabels"]["alertname"] == name]
        return bool(mine) and mine[-1]["status"] == status

    def await_firing(self, *names: str) -> None:
        """Each of them fires, and the receiver is told so."""
        begun = time.monotonic()
        for name in names:
            self.told[name] = Told()
        self._await(names, "fired", lambda name: name in self.firing(), begun)
        self._await(names, "delivered", lambda name: self.notified(name, "firing"), begun)

    def await_clear(self, *names: str) -> None:
        """None of them fires any more, and the receiver is told so."""
        begun = time.monotonic()
        self._await(names, "cleared", lambda name: name not in self.firing(), begun)
        is_told = "cleared_delivered"
        self._await(names, is_told, lambda name: self.notified(name, "resolved"), begun)

    def _await(
        self, names: tuple[str, ...], moment: str, holds: Callable[[str], bool], begun: float
    ) -> None:
        waiting = set(names)
        while waiting:
            for name in sorted(waiting):
                if holds(name):
                    setattr(self.told[name], moment, time.monotonic() - begun)
                    waiting.remove(name)
            assert time.monotonic() - begun < PATIENCE_SECONDS, f"not {moment}: {sorted(waiting)}"
            time.sleep(0.1)

    def _ask(self, path: str) -> Any:
        return ask_json(self.prometheus + path)["data"]


def ask_json(request: str | urllib.request.Request) -> Any:
    """What a server answers, as JSON."""
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def documented(program: str, folder: Path, ports: dict[str, int]) -> list[str]:
    """The command of CONTRIBUTING that starts a program, with the test's own folder and ports."""
    [line] = [each for each in block(section(CONTRIBUTING, "Alerts")) if each.startswith(program)]
    for documented_port, port in ports.items():
        line = line.replace(f":{documented_port}", f":{port}")
    words = shlex.split(line.replace(FOLDER, str(folder)))
    return [find(words[0]), *words[1:]]


@contextmanager
def report_server(env: dict[str, str], folder: Path, port: int) -> Iterator[Program]:
    """The report server, which tells of the loop; it has only begun to start."""
    words = [sys.executable, "-m", "deployments.pages", "reports", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/metrics"
    server = Program(words, env, folder / "reports.log", url)
    server.launch()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def watching(folder: Path, *, service: str, loop: str) -> Iterator[str]:
    """Prometheus and Alertmanager from a folder that is laid out here; Prometheus' address."""
    ours, theirs = free_ports(2)
    place(
        folder,
        services={"tiny": service},
        loop=loop,
        alertmanager=f"127.0.0.1:{theirs}",
        pace=PACE,
    )
    ports, env = {"9090": ours, "9093": theirs}, dict(os.environ)
    words = [documented(name, folder, ports) for name in ("prometheus-alertmanager", "prometheus ")]
    urls = [f"http://127.0.0.1:{port}/-/ready" for port in (theirs, ours)]
    alertmanager = Program(words[0], env, folder / "alertmanager.log", urls[0])
    prometheus = Program(words[1], env, folder / "prometheus.log", urls[1])
    with _running(alertmanager), _running(prometheus):
        yield urls[1].removesuffix("/-/ready")


@contextmanager
def _running(program: Program) -> Iterator[Program]:
    try:
        program.start()
        yield program
    finally:
        program.stop()


def about(mailbox: Mailbox, name: str) -> list[str]:
    """Subjects of the mails on an alert."""
    subjects = [str(mail["Subject"]) for mail in mailbox.mails]
    return [subject for subject in subjects if re.search(rf"\b{name}\b", subject)]


@contextmanager
def driven(service: Service) -> Iterator[None]:
    """A client that predicts, labels what it was answered earlier, and sends what is refused."""
    is_over, answers = threading.Event(), deque[dict[str, Any]](maxlen=LABELLED_LATER)

    def drive() -> None:
        while not is_over.wait(0.05):
            with suppress(OSError, ValueError, HTTPException):
                status, answer = service.post("/predict", RECORD)
                service.post("/predict", {"age": -1})
                if len(answers) == LABELLED_LATER:
                    first = answers.popleft()
                    told = {"prediction_id": first["prediction_id"], "label": first["label"]}
                    service.post("/feedback", told)
                if status == 200:
                    answers.append(answer)

    client = threading.Thread(target=drive)
    client.start()
    try:
        yield
    finally:
        is_over.set()
        client.join()
