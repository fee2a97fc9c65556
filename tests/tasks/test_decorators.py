from collections.abc import Callable

import pytest
from prefect import flow

from driftline.errors import DataError, UnavailableError
from tasks import decorators
from tasks.decorators import io, work


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


@pytest.mark.parametrize("error", [UnavailableError("the store did not answer"), OSError("cut")])
def test_an_outage_is_tried_again(attempts: Callable[..., int], error: Exception) -> None:
    assert attempts(io, error) == 3


def test_a_persons_mistake_is_not_tried_again(attempts: Callable[..., int]) -> None:
    assert attempts(io, DataError("one class only")) == 1


def test_work_is_not_tried_again(attempts: Callable[..., int]) -> None:
    assert attempts(work, OSError("cut")) == 1
