"""The page's scripts without a browser: what they say where something is away or refused."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest
from streamlit.testing.v1 import AppTest

from bentos.api import Api
from bentos.predictor import Predictor, load_predictor
from tests.bentos.models import KeptLog, write_tiny_model
from tests.deployments.ui.serving import served, serving
from tests.ports import free_ports
from tests.support import ROOT

APP = ROOT / "deployments/ui/app.py"
Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """The tiny problem's predictor."""
    return load_predictor(write_tiny_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture
def log() -> KeptLog:
    """What the service logs."""
    return KeptLog()


@pytest.fixture
def open_page(
    predictor: Predictor, log: KeptLog, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Open the page beside a service with some keys."""
    with ExitStack() as stack:

        def start(**settings: Any) -> AppTest:
            url = stack.enter_context(served(Api(predictor, log, keys=settings.pop("keys", ()))))
            monkeypatch.setenv("DRIFTLINE_SERVICES", f"tiny={url}")
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            return AppTest.from_file(str(APP), default_timeout=60).run()

        yield start


def texts(page: AppTest) -> str:
    """What is told, without the marks that keep it plain."""
    told = [each.value for kind in (page.markdown, page.error, page.info) for each in kind]
    return "\n".join(map(str, told)).replace("\\", "")


def test_a_form_is_asked_and_the_answer_and_what_moved_it_are_told(
    open_page: Open, log: KeptLog
) -> None:
    page = open_page()
    page.number_input[0].set_value(61)
    page.selectbox[0].set_value("M")

    page.button[0].click().run()

    (asked,) = log.predictions
    assert asked["inputs"] == {"age": 61, "level": None, "sex": "M", "ward": None}
    assert "The answer is" in texts(page)
    assert "not what causes the outcome" in texts(page)
    assert asked["id"] in texts(page)


def test_nothing_that_was_asked_stays_but_the_answer(open_page: Open) -> None:
    page = open_page()
    page.number_input[0].set_value(61)

    page.button[0].click().run()

    assert set(page.session_state["answered"]) == {"problem", "answer", "explained"}
    assert "inputs" not in str(page.session_state["answered"])
    assert dict(page.query_params) == {}


def test_the_outcome_of_the_last_answer_is_given(open_page: Open, log: KeptLog) -> None:
    page = open_page()
    page.button[0].click().run()
    page.radio[0].set_value("Give an outcome").run()
    page.selectbox[0].set_value("ill")

    page.button[0].click().run()

    assert log.labels == {log.predictions[0]["id"]: "ill"}
    assert "The outcome is kept" in texts(page)


def test_a_service_that_is_away_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("DRIFTLINE_SERVICES", f"tiny=http://127.0.0.1:{port}")

    page = AppTest.from_file(str(APP), default_timeout=60).run()

    assert not page.exception
    assert "there is no answer just now" in texts(page)


def test_the_key_comes_from_the_environment(open_page: Open) -> None:
    without = open_page(keys=["right"])
    given = open_page(keys=["right"], DRIFTLINE_API_KEY="right")

    assert "it wants a key" in texts(without)
    assert given.button


def test_a_setting_that_cannot_be_meant_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_SERVICES", "tiny")

    page = AppTest.from_file(str(APP), default_timeout=60).run()

    assert not page.exception
    assert "wanted such parts by commas" in texts(page)


def test_the_page_is_started_without_statistics_and_traces(tmp_path: Path) -> None:
    from deployments.ui.launch import command

    del tmp_path
    words = " ".join(command(8501))

    assert "--browser.gatherUsageStats false" in words
    assert "--client.showErrorDetails none" in words
    assert "--server.address 127.0.0.1" in words


def test_for_the_owner_each_part_that_is_away_is_one_sentence(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports, prefect = free_ports(2)
    monkeypatch.setenv("DRIFTLINE_REPORTS_URL", f"http://127.0.0.1:{reports}")
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{prefect}/api")
    page = open_page()

    page.radio[0].set_value("Look after it").run()
    page.button[1].click().run()
    asked = [each.label for each in page.button]
    page.button[3].click().run()

    assert not page.exception
    assert asked == ["Run the monitor", "Train", "Roll back", "Yes: train", "No, leave it"]
    assert "Prefect: there is no answer just now" in texts(page)
    assert "The report server: there is no answer just now" in texts(page)


class SlowPrefect(BaseHTTPRequestHandler):
    """Prefect's API with one deployment, whose run is as the test says."""

    state: ClassVar[dict[str, str]] = {}

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        told = {"id": "0f" * 16, "name": "monitor tiny", "state": self.state}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Nobody needs a line for each."""


def test_an_ordered_run_is_followed_to_its_end_without_a_click(open_page: Open) -> None:
    with serving(SlowPrefect) as url:
        SlowPrefect.state = {"name": "Running", "type": "RUNNING"}
        page = open_page(PREFECT_API_URL=f"{url}/api")
        page.radio[0].set_value("Look after it").run()
        press(page, "Run the monitor")
        press(page, "Yes: run the monitor")
        going = texts(page)
        SlowPrefect.state = {"name": "Completed", "type": "COMPLETED"}
        page.run()

    assert "The run monitor tiny is running. This looks again every 3 seconds" in going
    assert "The run monitor tiny is completed. What it concluded stands below" in texts(page)


def press(page: AppTest, label: str) -> None:
    next(each for each in page.button if each.label == label).click().run()
