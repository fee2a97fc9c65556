"""What a person is asked by the newest verdict, and what the loop orders by itself."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bentos.log.tables import ORDERS
from driftline.problem import Problem
from tasks.log.records import open_records
from tasks.log.verdicts import read_asked
from tests.support import make_problem
from tests.tasks.log.test_predictions import judge, predict, read

BY_PERSON = make_problem(changes={"train": "person"})


def orders() -> list[str]:
    with open_records().connect() as connection:
        return list(connection.execute(select(ORDERS.c.kind)).scalars())


@pytest.mark.parametrize(
    ("problem", "asked", "ordered"),
    [(BY_PERSON, ["harm is proved"], []), (make_problem(), [], ["train"])],
    ids=["a person", "the loop itself"],
)
def test_a_retraining_is_ordered_or_asked_of_a_person_with_its_reason(
    home: Path, problem: Problem, asked: list[str], ordered: list[str]
) -> None:
    del home
    predict(problem, ["a", "b"])

    judge(problem, read(problem), "retrain", "harm is proved", "waits for a person")

    assert read_asked.fn(problem) == asked
    assert orders() == ordered


def test_a_later_verdict_asks_for_nothing_any_more(home: Path) -> None:
    del home
    predict(BY_PERSON, ["a"])
    judge(BY_PERSON, read(BY_PERSON), "retrain", "harm is proved")
    predict(BY_PERSON, ["b"])
    judge(BY_PERSON, read(BY_PERSON), "ok", "nothing")

    assert read_asked.fn(BY_PERSON) == []
