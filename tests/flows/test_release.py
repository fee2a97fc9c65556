"""What a person decides on rows that were set aside as broken."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select

from bentos.log.database import insert_predictions, open_engine
from bentos.log.tables import RELEASES
from driftline.errors import DriftlineError, NotFoundError
from driftline.problem import Problem
from driftline.verdicts import DriftDecision, Quarantined, Window
from flows.release import choose, decide, show_rows
from tasks.decorators import without_task_runs
from tasks.log.predictions import record_verdict
from tasks.log.quarantine import read_quarantine
from tasks.log.records import open_records
from tests.bentos.log.logged import row
from tests.support import TINY, file_problem, make_problem, run_command

NAME = "Lee" * 60
WAITING = [
    Quarantined("abc1", 1, 4, ("level: stuck at one value",)),
    Quarantined("abd2", 5, 9, ("level: stuck at one value",)),
    Quarantined("abe3", 10, 12, ("age: stuck at one value",), is_dropped=True),
]


def test_a_verdict_is_chosen_by_the_beginning_of_its_key() -> None:
    assert choose(WAITING, "abd") == [WAITING[1]]


def test_all_are_those_that_still_wait() -> None:
    assert choose(WAITING, "all") == WAITING[:2]


@pytest.mark.parametrize("key", ["ab", "zz", "abe3"])
def test_a_beginning_that_is_nobodys_or_several_is_refused(key: str) -> None:
    with pytest.raises(NotFoundError, match=f"--verdict: got '{key}'"):
        choose(WAITING, key)


def test_no_key_at_all_is_nobodys_even_where_one_waits() -> None:
    with pytest.raises(NotFoundError, match="--verdict: got ''"):
        choose(WAITING[:1], "")


def test_a_person_sees_what_waits_and_releases_it(home: Path, tmp_path: Path) -> None:
    file_problem(tmp_path, "tiny", TINY)
    window = Window(*[pd.DataFrame()] * 2, first=1, last=4, last_label=0, seen=0, seen_label=0)
    set_aside(make_problem(), window)
    env = os.environ | {"DRIFTLINE_HOME": str(home), "DRIFTLINE_PROJECT_DIR": str(tmp_path)}

    before, released, after, again = (
        run_command("flows.release", "tiny", *words, env=env)
        for words in ((), ("--verdict", "abc"), (), ("--verdict", "abc"))
    )

    assert "level: stuck" in before.stdout
    assert released.stdout == "released: abc1\n"
    assert "level: stuck" not in after.stdout
    assert (again.returncode, again.stderr) == (
        1,
        "error: --verdict: got 'abc', which 0 of 0 waiting have\n",
    )


@pytest.mark.parametrize(("drop", "left"), [(False, {}), (True, {"abc1": True})])
def test_it_is_decided_in_the_name_of_the_person_who_asked(
    home: Path, drop: bool, left: dict[str, bool]
) -> None:
    problem = make_problem()
    window = Window(*[pd.DataFrame()] * 2, first=1, last=4, last_label=0, seen=0, seen_label=0)
    set_aside(problem, window)

    with without_task_runs():
        decided = decide(problem, "abc", actor=f" Ann {NAME} ", is_dropped=drop)
        waiting = {each.key: each.is_dropped for each in read_quarantine(problem)}

    assert [each.key for each in decided] == ["abc1"]
    assert waiting == left
    assert deciders(home) == [f"Ann {NAME}"[:128]]


def test_nobody_decides_without_a_name(home: Path) -> None:
    problem = make_problem()
    window = Window(*[pd.DataFrame()] * 2, first=1, last=4, last_label=0, seen=0, seen_label=0)
    set_aside(problem, window)

    with without_task_runs(), pytest.raises(DriftlineError, match="actor: got nothing"):
        decide(problem, "abc", actor=" ", is_dropped=False)

    assert deciders(home) == []


def deciders(home: Path) -> list[str]:
    """Who has decided, by the database."""
    engine = open_engine(f"sqlite:///{home / 'predictions.db'}")
    with engine.connect() as connection:
        found = connection.execute(select(RELEASES.c.actor)).scalars().all()
    engine.dispose()
    return list(found)


def set_aside(problem: Problem, window: Window) -> None:
    """Record that a window was judged broken."""
    with without_task_runs():
        record_verdict(
            problem,
            DriftDecision("quarantine", ("level: stuck at one value",)),
            key="abc1",
            model_version="1",
            window=window,
            evidence={},
            report="",
            report_sha256="",
        )


@pytest.mark.usefixtures("home")
def test_a_person_looks_at_the_rows_before_deciding(tmp_path: Path) -> None:
    problem = make_problem()
    window = Window(*[pd.DataFrame()] * 2, first=2, last=3, last_label=0, seen=0, seen_label=0)
    set_aside(problem, window)
    asked = [{"age": age, "level": 1.5, "sex": "F"} for age in (41, 52, 63, 74)]
    logged = [row(f"p{each['age']}", inputs=json.dumps(each)) for each in asked]
    insert_predictions(open_records(), logged)
    file = tmp_path / "rows.csv"

    with without_task_runs():
        rows = show_rows(problem, "abc", file)
        with pytest.raises(DriftlineError, match=r"--show: .*rows.csv: File exists; wanted a"):
            show_rows(problem, "abc", file)
        waiting = read_quarantine(problem)

    shown = pd.read_csv(file)
    assert rows == 2
    assert shown[["prediction", "age"]].to_numpy().tolist() == [[2, 52], [3, 63]]
    assert file.stat().st_mode & 0o077 == 0
    assert [each.key for each in waiting] == ["abc1"]
