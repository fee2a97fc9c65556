"""What Prometheus is told of the loop: read anew at each scrape, and cheaply.

Labels are problems, flows, versions and words of our own. What cannot be read is left out and said
by `driftline_records_up` and `driftline_problem_readable`; a broken problem hides no other.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from bentos.log.database import migrate, open_engine
from bentos.log.spool import count_aside, measure_spool
from bentos.settings import spool_folder
from deployments.exporter.families import Families
from deployments.exporter.finished import read_finished
from deployments.exporter.performance import Judge, gates_of
from deployments.exporter.records import Counted, read_records
from deployments.exporter.telling import tell_limits, tell_performance, tell_records, tell_sweeps
from driftline.errors import DriftlineError
from driftline.problem import Problem
from tasks.data.problems import list_problems, read_problem
from tasks.decorators import without_task_runs
from tasks.log.damage import count_damaged
from tasks.reaching import naming_outages
from tasks.server.heartbeat import read_heartbeat
from tasks.settings import get_settings

SILENCE_SECONDS: Final = 8.0  # of a database, before a scrape gives it up


class LoopCollector(Collector):
    """Reads the database, the store and the state folder; remembers what it has counted."""

    def __init__(self) -> None:
        """Nothing was counted yet."""
        self._alone = threading.Lock()
        self._counted: dict[str, Counted] = {}
        self._judges: dict[str, Judge] = {}

    def collect(self) -> Iterable[Metric]:
        """Every family, one scrape at a time."""
        with self._alone, without_task_runs():
            families, begun = Families(), time.perf_counter()
            problems = list(_read_problems(families))
            self._read_records(families, problems)
            _read_store(families, problems)
            _read_spool(families)
            for one in read_finished(get_settings().home, [each.name for each in problems]):
                names = {"flow": one.flow, "problem": one.problem}
                families.add("flow_finished_timestamp_seconds", one.at, **names)
                families.add("flow_duration_seconds", one.seconds, **names)
            families.add("exporter_read_seconds", time.perf_counter() - begun)
            return families.all()

    def _read_records(self, families: Families, problems: Iterable[Problem]) -> None:
        try:
            with naming_outages(), _open(get_settings().database).connect() as connection:
                for problem in problems:
                    name = problem.name
                    counted = self._counted.setdefault(name, Counted())
                    records = read_records(connection, name, counted)
                    tell_records(families, name, records)
                    judge = self._judges.setdefault(name, Judge())
                    performance = judge.judge(connection, problem, records)
                    tell_performance(families, name, performance, gates_of(problem))
                    tell_limits(families, problem)
        except DriftlineError:
            families.add("records_up", 0)
        else:
            families.add("records_up", 1)


def expose(collector: LoopCollector) -> bytes:
    """The text of a scrape."""
    return generate_latest(collector)


@lru_cache(maxsize=1)
def _open(url: str) -> Engine:
    """The database, its tables brought up to date."""
    engine = open_engine(url, silence_seconds=SILENCE_SECONDS)
    migrate(engine, attempts=1)
    return engine


def _read_problems(families: Families) -> Iterator[Problem]:
    for name in list_problems():
        try:
            problem = read_problem(name)
        except DriftlineError:
            families.add("problem_readable", 0, problem=name)
        else:
            families.add("problem_readable", 1, problem=name)
            yield problem


def _read_store(families: Families, problems: Iterable[Problem]) -> None:
    try:
        tell_sweeps(families, read_heartbeat())
        for problem in problems:
            families.add("damaged_parts", count_damaged(problem.name), problem=problem.name)
    except DriftlineError:
        families.add("store_up", 0)
    else:
        families.add("store_up", 1)


def _read_spool(families: Families) -> None:
    waiting, age = measure_spool(spool_folder(), time.time())
    families.add("waiting_spool_bytes", waiting)
    families.add("waiting_spool_age_seconds", age)
    families.add("waiting_spool_damaged_lines", count_aside(spool_folder()))
