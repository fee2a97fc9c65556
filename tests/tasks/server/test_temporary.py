"""A server of a run's own: what its end at its start leaves a person with."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.server.temporary import MOST_TRIES, Message, Receive, Send, ask_again
from tests.conftest import QUIET, without_tools
from tests.support import ROOT


def test_a_server_that_cannot_start_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "prefect" / "prefect.db").mkdir(parents=True)  # where its database would lie
    env = without_tools() | QUIET | {"DRIFTLINE_HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-m", "flows.ingest", "breast_cancer"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("error: Prefect's temporary server: ended at its start (")
    assert "unable to open database file" in done.stderr
    assert str(tmp_path / "prefect" / "temporary-server.log") in done.stderr


ASK = """
import flows
from prefect.settings import get_current_settings
from tasks.server.temporary import end_at_once, start_server, use_server
use_server(start_server())
print(get_current_settings().flows.heartbeat_frequency)
end_at_once()
"""


def test_no_flow_there_waits_for_its_heart_to_stop(tmp_path: Path) -> None:
    env = without_tools() | QUIET | {"DRIFTLINE_HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert done.stdout == "None\n", done.stderr


REQUEST: list[Message] = [
    {"type": "http.request", "body": b"a", "more_body": True},
    {"type": "http.request", "body": b"b", "more_body": False},
]


def ask(busy: int, asked: list[bytes], answered: list[Message]) -> None:
    """Fill in what a server that is busy so many times is asked, and its client is answered."""
    left = list(REQUEST)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        del scope
        asked.append((await receive())["body"] + (await receive())["body"])
        await send({"type": "http.response.start", "status": 503 if len(asked) <= busy else 200})
        await send({"type": "http.response.body", "body": b"" if len(asked) <= busy else b"done"})
        if len(asked) <= busy:
            raise RuntimeError  # as Starlette does of what it has answered

    async def receive() -> Message:
        return left.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    asyncio.run(ask_again(app)({"type": "http"}, receive, send))


def test_a_server_whose_database_is_busy_is_asked_again_and_its_client_knows_nothing_of_it() -> (
    None
):
    asked, answered = list[bytes](), list[Message]()

    ask(busy=2, asked=asked, answered=answered)

    assert asked == [b"ab"] * 3
    assert [message.get("status") for message in answered] == [200, None]
    assert answered[-1]["body"] == b"done"


def test_a_server_whose_database_stays_busy_says_so_in_the_end_and_its_log_says_why() -> None:
    asked, answered = list[bytes](), list[Message]()

    with pytest.raises(RuntimeError):
        ask(busy=MOST_TRIES, asked=asked, answered=answered)

    assert len(asked) == MOST_TRIES
    assert [message.get("status") for message in answered] == [503, None]
