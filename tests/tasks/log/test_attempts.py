"""An order that keeps failing waits longer each time, and then asks for a person, once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bentos.log.database import place_order
from bentos.log.tables import FAILURES, ORDERS
from driftline.problem import Problem
from tasks.log.attempts import ATTEMPTS, PAUSES, take_given_up
from tasks.log.orders import (
    claim_due_orders,
    claim_orders,
    finish_orders,
    free_orders,
    open_orders,
)
from tasks.log.records import open_records
from tests.support import make_problem

KEY = "verdict:a"


@pytest.fixture
def problem(home: Path) -> Problem:
    """A problem with one order to train."""
    assert home
    place_order(open_records(), "tiny", "train", KEY)
    return make_problem()


def fail_by_error(run_id: str) -> None:
    finish_orders.fn(run_id, is_done=False)


def fail_by_kill(run_id: str) -> None:
    free_orders.fn("tiny", [run_id])


def attempt(number: int, fail: Callable[[str], None] = fail_by_error) -> list[str]:
    """Claim what is due, and fail; what was claimed."""
    claimed: list[str] = claim_due_orders.fn("tiny", "train", f"run {number}")
    fail(f"run {number}")
    return claimed


def wait(pause: timedelta) -> None:
    """Let that time pass since every failure."""
    with open_records().begin() as connection:
        for sequence, at in connection.execute(select(FAILURES.c.sequence, FAILURES.c.at)).all():
            mine = FAILURES.c.sequence == sequence
            connection.execute(update(FAILURES).where(mine).values(at=at - pause))


def state() -> str:
    with open_records().connect() as connection:
        return str(connection.execute(select(ORDERS.c.state)).scalar_one())


@pytest.mark.parametrize("fail", [fail_by_error, fail_by_kill])
def test_each_failure_makes_the_next_attempt_wait_longer(
    problem: Problem, fail: Callable[[str], None]
) -> None:
    for number, pause in enumerate(PAUSES):
        assert attempt(number, fail) == [KEY]
        if pause:
            wait(pause - timedelta(minutes=1))
            assert open_orders.fn(problem) == {}
            assert claim_due_orders.fn("tiny", "train", "too early") == []
        wait(timedelta(minutes=1))
        assert open_orders.fn(problem) == {"train": 1}


def test_an_order_is_given_up_and_told_once(problem: Problem) -> None:
    for number in range(ATTEMPTS):
        assert take_given_up(problem.name) == []
        assert attempt(number) == [KEY]
        wait(PAUSES[-1])

    assert open_orders.fn(problem) == {}
    assert take_given_up(problem.name) == ["train"]
    assert take_given_up(problem.name) == []


def test_a_person_takes_up_what_was_given_up(problem: Problem) -> None:
    for number in range(ATTEMPTS):
        attempt(number)
        wait(PAUSES[-1])
    assert take_given_up(problem.name)

    claimed = claim_orders.fn("tiny", "train", "by hand")
    finish_orders.fn("by hand", is_done=True)

    assert claimed == [KEY]
    assert state() == "done"
