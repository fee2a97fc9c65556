import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, INVALID_PARAMETER_VALUE
from prefect import Task, flow
from prefect.exceptions import PrefectHTTPStatusError
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError

from driftline.errors import DataError, UnavailableError
from tasks import decorators
from tasks.decorators import io, retry_delays, without_task_runs, work
from tasks.reaching import is_prefect_away, open_client


@pytest.fixture
def attempts(prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """How often a task that keeps raising is tried, on a real Prefect server, without the waits."""
    assert prefect_api
    monkeypatch.setattr(decorators, "RETRY_DELAYS_SECONDS", [0.0, 0.0])

    def count(declare: Callable[..., object], error: Exception) -> int:
        tried = []

        @declare(name="fail")
        def fail() -> None:
            tried.append(1)
            raise error

        @flow(name="try")
        def story() -> None:
            fail()

        with pytest.raises(type(error)):
            story()
        return len(tried)

    return count


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("the store did not answer"),
        OSError("cut"),
        MlflowException("another made this row", BAD_REQUEST),
        IntegrityError("insert", (), Exception("another made this row")),
    ],
)
def test_what_may_pass_is_tried_again(attempts: Callable[..., int], error: Exception) -> None:
    assert attempts(io, error) == 3


@pytest.mark.parametrize(
    "error",
    [
        DataError("one class only"),
        KeyError("a bug"),
        FileNotFoundError("not there"),
        MlflowException("a name of 900 letters", INVALID_PARAMETER_VALUE),
    ],
)
def test_what_stays_wrong_is_not_tried_again(
    attempts: Callable[..., int], error: Exception
) -> None:
    assert attempts(io, error) == 1


def test_work_is_not_tried_again(attempts: Callable[..., int]) -> None:
    assert attempts(work, OSError("cut")) == 1


def test_where_no_run_is_wanted_a_task_is_its_function(
    attempts: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def declare_plain(name: str) -> Callable[..., Callable[[], None]]:
        def declare(function: Callable[[], None]) -> Callable[[], None]:
            declared = io(name=name)(function)

            def call() -> None:
                with without_task_runs():
                    declared()

            return call

        return declare

    def refuse(*_words: object, **_given: object) -> None:
        pytest.fail("a run was made")

    monkeypatch.setattr(Task, "__call__", refuse)

    assert attempts(declare_plain, UnavailableError("the store did not answer")) == 1


@pytest.mark.parametrize("patience", [0.0, 0.5, 1, 6, 75])
def test_all_pauses_together_last_as_long_as_the_patience(patience: float) -> None:
    delays = retry_delays(patience)

    assert sum(delays) == patience
    assert max(delays, default=0) <= 30
    assert len(delays) <= 8


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    engine = create_engine("postgresql+psycopg://me:secret@127.0.0.1:9/none")

    @io(name="ask")
    def ask() -> None:
        engine.connect()

    with pytest.raises(UnavailableError) as raised:
        ask.fn()
    assert str(raised.value).startswith("the database (DRIFTLINE_DATABASE_URL): did not answer")
    assert "secret" not in str(raised.value)


def test_mlflow_whose_database_is_away_is_named_at_its_first_refusal() -> None:
    """MLflow by itself would ask ten times, with growing pauses."""
    from mlflow import MlflowClient

    open_client()

    with refusing_server() as (port, refused):

        @io(name="ask")
        def ask() -> None:
            address = f"postgresql+psycopg://me:secret@127.0.0.1:{port}/none?sslmode=disable"
            MlflowClient(address).search_experiments()

        with pytest.raises(UnavailableError) as raised:
            ask.fn()

    assert str(raised.value).startswith("MLflow (MLFLOW_TRACKING_URI): did not answer")
    assert "secret" not in str(raised.value)
    assert len(refused) == 1


@contextmanager
def refusing_server() -> Iterator[tuple[int, list[int]]]:
    """A port where each connection is ended at once, and who came to it."""
    refused: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            with suppress(OSError):
                while True:
                    connection, (_, port) = server.accept()
                    refused.append(port)
                    connection.close()

        threading.Thread(target=refuse, daemon=True).start()
        yield server.getsockname()[1], refused
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("status", "is_away"), [(503, True), (502, True), (500, False), (404, False)]
)
def test_a_server_of_prefects_that_is_overwhelmed_is_away(status: int, is_away: bool) -> None:
    request = httpx.Request("POST", "http://127.0.0.1:4200/api/task_runs/")
    response = httpx.Response(status, request=request)

    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()

    assert is_prefect_away(PrefectHTTPStatusError.from_httpx_error(caught.value)) is is_away


class Watched(list[int]):
    """A list that counts how often it is gone through."""

    times = 0

    def __iter__(self) -> Iterator[int]:
        """One more time."""
        self.times += 1
        return super().__iter__()


def test_what_a_task_is_given_is_not_gone_through(prefect_api: str) -> None:
    assert prefect_api
    given = Watched([1, 2, 3])

    @work(name="measure", run_name="measure {name}")
    def measure(rows: list[int], *, name: str) -> tuple[bool, str]:
        return rows is given, name

    @flow(name="pass on")
    def story() -> tuple[bool, str]:
        return measure(given, name="rows")

    assert story() == (True, "rows")
    assert given.times == 0
