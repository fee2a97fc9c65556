"""Every alert fires and clears over the real thing, and people are told of both."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from sqlalchemy import update

from bentos.log.database import migrate, open_engine, place_order
from bentos.log.tables import ORDERS
from deployments.monitoring.alert import Limits
from deployments.monitoring.alerts import describe_alerts
from deployments.monitoring.boards import BOARDS
from tasks.log.quarantine import decide_on_quarantine
from tasks.people.reporting import write_summary
from tasks.server import heartbeat
from tasks.settings import get_settings
from tests.bentos.models import RECORD, write_tiny_model
from tests.conftest import QUIET
from tests.deployments.exporter.loop import give_alias, judge, label_all, predict
from tests.deployments.monitoring.queries import expressions
from tests.ports import free_ports
from tests.receivers import PUBLISHED, http_receiver, mail_receiver
from tests.support import TINY, file_problem, make_problem
from tests.system.alarm import PACE, PATIENCE_SECONDS, Alarm, about, driven, report_server, watching
from tests.system.servers import start_postgresql
from tests.system.service import Service, await_that, serving

pytestmark = [pytest.mark.system, pytest.mark.postgres]

VERSION = "7"  # of the served model
GATE = [{"metric": "test_accuracy", "at_least": 0.8}]
OLD, LATE, BROKEN = "old", "late", "broken"  # problems beside the served one
GROW_A_LITTLE = {"driftline_rejected_requests_total", "driftline_refused_fields_total"}
TOPIC = "arn:aws:sns:eu-central-1:123456789012:driftline"
OF_LOOP = {
    "DriftlineLoopDown",
    "DriftlineQuarantine",
    "DriftlineDriftRetrain",
    "DriftlineOrderGivenUp",
    "DriftlinePerformanceBelowGate",
    "DriftlineLabelsMissing",
    "DriftlineChampionOld",
    "DriftlineProblemUnreadable",
}
OF_DATABASE = {
    "DriftlineSpoolGrowing",
    "DriftlineErrorsHigh",
    "DriftlinePartDown",
    "DriftlineRecordsAway",
}
ALERTS = [alert.name for alert in describe_alerts(PACE, Limits())]


@pytest.fixture(scope="module")
def alarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alarm]:
    """A served model, its loop, and everybody who watches and is told."""
    root = tmp_path_factory.mktemp("alarm")
    project, home, (port,) = root / "project", root / "home", free_ports(1)
    for name in ("tiny", OLD, LATE):
        file_problem(project, name, TINY, gates=GATE)
    with ExitStack() as parts:
        enter = parts.enter_context
        patch = enter(pytest.MonkeyPatch.context())
        parts.callback(get_settings.cache_clear)
        database = enter(start_postgresql())
        url = database.create_database()
        hook, slack = enter(http_receiver()), enter(http_receiver(answer="ok"))
        topic, mailbox = enter(http_receiver(answer=PUBLISHED)), enter(mail_receiver())
        for name, value in {
            "DRIFTLINE_HOME": str(home),
            "DRIFTLINE_PROJECT_DIR": str(project),
            "DRIFTLINE_DATABASE_URL": url,
            "DRIFTLINE_ALERT_WEBHOOK": hook.url,
            "DRIFTLINE_NOTIFY_WEBHOOK": slack.url,
            "DRIFTLINE_NOTIFY_EMAIL": "people@localhost",
            "DRIFTLINE_SMTP": mailbox.address,
            "DRIFTLINE_NOTIFY_SNS_TOPIC": TOPIC,
            "AWS_ENDPOINT_URL": topic.url,
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        }.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        engine = open_engine(url)
        migrate(engine)
        give_alias(engine, VERSION)
        reports = enter(report_server(os.environ | QUIET, root, port))
        service = Service(write_tiny_model(root / "model"), home, url)
        enter(serving(service))
        await_that(reports.answers, PATIENCE_SECONDS)  # it started meanwhile
        ours, theirs = f"127.0.0.1:{service.port}", f"127.0.0.1:{port}"
        prometheus = enter(watching(root / "monitoring", service=ours, loop=theirs))
        enter(driven(service))
        yield Alarm(
            service, database, engine, reports, prometheus, project, hook, slack, topic, mailbox
        )


@pytest.fixture(scope="module", autouse=True)
def _shown(alarm: Alarm) -> Iterator[None]:
    """How long each alert took, for who runs the tests with -s."""
    yield
    for name, told in alarm.told.items():
        print(json.dumps({"alert": name} | {k: round(v, 1) for k, v in vars(told).items()}))  # noqa: T201


def test_what_the_loop_has_come_to_fires_and_clears(alarm: Alarm) -> None:
    """Sweeps, verdicts, quarantine, orders, performance, labels, age, and a broken file."""
    engine = alarm.engine
    failure = heartbeat.Failure("a test wants it", may_pass=True)
    heartbeat.record_sweep({"tiny": failure}, next_within=timedelta(0))
    write_summary("a-run", {"flow": "train", "problem": "tiny", "seconds": {"fit": 1.5}})
    quarantine = judge(engine, "quarantine", version=VERSION)
    judge(engine, "retrain", version=VERSION, rows=0)
    place_order(engine, "tiny", "train", "verdict:given-up")
    with engine.begin() as connection:
        connection.execute(update(ORDERS).values(state="told"))
    give_alias(engine, "1", problem=OLD, days_ago=200)
    label_all(engine, predict(engine, 60, problem=OLD), "well", problem=OLD)
    waiting = predict(engine, 1, problem=LATE, days_ago=40)
    file_problem(alarm.project, BROKEN, TINY, goal={"maximise": "nothing"})
    alarm.await_firing(*OF_LOOP)
    await_data(alarm)

    heartbeat.record_sweep({}, next_within=timedelta(hours=1))
    decide_on_quarantine.fn(make_problem(), quarantine, "released", actor="a test")
    judge(engine, "ok", version=VERSION, rows=0)
    with engine.begin() as connection:
        connection.execute(update(ORDERS).values(state="done"))
    label_all(engine, predict(engine, 500, problem=OLD), "ill", problem=OLD)
    label_all(engine, waiting, "ill", problem=LATE)
    (alarm.project / "data" / "problems" / f"{BROKEN}.yaml").unlink()
    alarm.await_clear(*OF_LOOP - {"DriftlineChampionOld"})
    give_alias(engine, "2", problem=OLD)
    alarm.await_clear("DriftlineChampionOld")


def await_data(alarm: Alarm) -> None:
    """Every query of every dashboard returns data, now that there is some of all kinds."""
    waiting = {expr for board in BOARDS for expr in expressions(board)}
    assert len(waiting) > 50
    give_up = time.monotonic() + PATIENCE_SECONDS
    while waiting:
        waiting = {expr for expr in waiting if not alarm.query(filled(expr))}
        assert time.monotonic() < give_up, f"no data: {sorted(waiting)}"


def filled(expr: str) -> str:
    """A query as Grafana sends it for all problems."""
    return expr.replace("$problem", ".*").replace("$__rate_interval", PACE.window)


def test_labels_that_the_monitor_asks_for_fire_until_the_next_verdict(alarm: Alarm) -> None:
    judge(alarm.engine, "need_labels", version=VERSION, rows=0)
    alarm.await_firing("DriftlineLabelsWanted")

    judge(alarm.engine, "ok", version=VERSION, rows=0)
    alarm.await_clear("DriftlineLabelsWanted")


def test_whatever_clients_send_adds_no_series(alarm: Alarm) -> None:
    """Unknown paths, methods, names of fields and values: beside the codes and kinds of faults."""
    before = series(alarm)
    assert {each.split("{")[0] for each in before} >= {"driftline_records_up", "driftline_part_up"}

    for turn in range(60):
        odd = f"odd{turn}Zq7"
        for port in (alarm.service.port, urlsplit(alarm.reports.url).port):
            for method in ("GET", "POST", odd.upper()):
                ask(port or 0, method, f"/{odd}?{odd}={turn}")
        for body in ({odd: odd}, RECORD | {odd: turn}, RECORD | {"sex": odd}, [odd]):
            alarm.service.post("/predict", body)
        alarm.service.post("/feedback", {"prediction_id": odd, "label": odd})

    added = series(alarm) - before
    assert not [each for each in added if "Zq7" in each]
    grown = {each for each in added if not each.startswith("driftline_drift_verdict_info")}
    assert {each.split("{")[0] for each in grown} <= GROW_A_LITTLE
    assert len(grown) < 20


def series(alarm: Alarm) -> set[str]:
    """The names and labels of all that the service and the report server tell."""
    texts = [
        urlopen(url).read().decode() for url in (f"{alarm.service.url}/metrics", alarm.reports.url)
    ]
    lines = [line for text in texts for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0] for line in lines}


def ask(port: int, method: str, path: str) -> None:
    """One request, whatever comes of it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    with suppress(OSError, HTTPException), closing(connection):
        connection.request(method, path, b"{}")
        connection.getresponse().read()


def test_a_database_that_is_slow_fires_and_clears(alarm: Alarm) -> None:
    """Labels wait for it, and so do those who send them."""
    is_over = threading.Event()

    def slow_down() -> None:
        while not is_over.is_set():
            alarm.database.freeze()
            time.sleep(0.7)
            alarm.database.thaw()
            time.sleep(0.3)

    hand = threading.Thread(target=slow_down)
    hand.start()
    try:
        alarm.await_firing("DriftlineLatencyHigh")
    finally:
        is_over.set()
        hand.join()
    alarm.await_clear("DriftlineLatencyHigh")


def test_a_database_that_is_away_fires_and_clears(alarm: Alarm) -> None:
    """Predictions wait in the spool, labels are refused, a part and the records are down."""
    alarm.database.stop()
    alarm.await_firing(*OF_DATABASE)

    alarm.database.start()
    alarm.await_clear(*OF_DATABASE)


def test_who_does_not_answer_fires_and_clears(alarm: Alarm) -> None:
    alarm.service.stop()
    alarm.reports.stop()
    alarm.await_firing("DriftlineServiceDown", "DriftlineExporterDown")

    alarm.reports.launch()
    alarm.service.start()
    alarm.await_clear("DriftlineServiceDown", "DriftlineExporterDown")


def test_every_alert_has_fired_and_cleared(alarm: Alarm) -> None:
    assert set(alarm.told) == set(ALERTS)
    assert all(all(vars(told).values()) for told in alarm.told.values())


def test_every_channel_has_told_of_every_alert(alarm: Alarm) -> None:
    slack = "\n".join(each.body.decode() for each in alarm.slack.posted)
    topic = "\n".join(each.form["Subject"] for each in alarm.topic.posted)

    for name in ALERTS:
        subjects = about(alarm.mailbox, name)
        assert {subject.split()[0] for subject in subjects} == {"FIRING", "RESOLVED"}
        for state in ("FIRING", "RESOLVED"):
            assert f"{state} {name}" in slack
            assert f"{state} {name}" in topic


def test_a_message_says_what_to_do(alarm: Alarm) -> None:
    [told, *_] = [json.loads(each.body) for each in alarm.hook.posted]

    annotations = told["alerts"][0]["annotations"]
    name = told["groupLabels"]["alertname"].lower()
    assert annotations["runbook_url"] == f"deployments/monitoring/runbook.md#{name}"
    assert annotations["summary"]
    assert annotations["description"]
