"""Completes a problem's raw rows from the tables that its joins name."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from driftline.joining import join_rows, read_timeline
from driftline.locations import redact
from driftline.portion import Thinned, most_rows
from driftline.problem import Problem
from driftline.timelines import Timeline
from tasks.decorators import io, work
from tasks.progress import tell
from tasks.reading.sources import (
    Found,
    expect,
    open_rows,
    read_piece,
    read_source,
    read_table,
)

Timelines = Mapping[str, Timeline]


@io(name="read tables of joins", run_name="read tables of joins of {problem.name}")
def read_timelines(problem: Problem) -> dict[str, Timeline]:
    """The table of each join, by its key; says how large each is and which content it has."""
    found = {}
    for name, join in problem.joins.items():
        table = read_table(join.source, expect(problem, others=(join.key, join.at)))
        timeline = read_timeline(table.rows, problem, name, source=redact(join.source))
        left_out = len(table.rows) - len(timeline.seconds)
        told = f"{len(timeline.seconds)} rows of {len(timeline.keys)} keys"
        told += f" (sha256 {timeline.sha256[:12]})"
        told += f"; {left_out} without a key or a date left out" if left_out else ""
        tell(f"join {name}: {redact(join.source)}: {told}")
        found[name] = timeline
    return found


class RowJoiner:
    """Completes raw rows by a problem's joins, a piece at a time, and says what was found."""

    def __init__(self, problem: Problem, *, source: str) -> None:
        """Read the tables of the joins, where there are some."""
        self._problem, self._source = problem, source
        self._timelines: Timelines = read_timelines(problem) if problem.joins else {}
        self._found = {name: Counter[str]() for name in self._timelines}

    def join(self, raw: pd.DataFrame) -> pd.DataFrame:
        """The next rows, completed."""
        return join_piece(self, raw) if self._timelines else raw

    def add(self, raw: pd.DataFrame) -> pd.DataFrame:
        """The rows with what the joins fill in; counts how many rows found theirs."""
        joined, told = join_rows(raw, self._problem, self._timelines, source=self._source)
        for name, counts in told.items():
            self._found[name].update(counts)
        return joined

    def finish(self) -> None:
        """Say how many rows found theirs."""
        for name, counts in self._found.items():
            if counts:
                tell(f"join {name}: {_in_words(counts)}")

    def tell_read(self, read_as: str) -> str:
        """How a source was read, and which tables were joined to it."""
        told = [
            f"{name} joined (sha256 {one.sha256[:12]})" for name, one in self._timelines.items()
        ]
        return "; ".join([read_as, *told] if read_as else told)


@work(name="join rows")
def join_piece(joiner: RowJoiner, raw: pd.DataFrame) -> pd.DataFrame:
    """The next rows of a source with what the joins fill in."""
    return joiner.add(raw)


def read_complete(problem: Problem, source: str | None = None) -> Found:
    """What `read_source` reads, completed by the problem's joins; which tables, in `read_as`."""
    found = read_source(problem, source)
    joiner = RowJoiner(problem, source=found.name)
    rows = joiner.join(found.rows)
    joiner.finish()
    return Found(rows, found.name, joiner.tell_read(found.read_as))


def read_part(problem: Problem, source: str) -> pd.DataFrame:
    """The same of a table to be judged; of one that memory would not bear, evenly chosen rows.

    It is read a piece at a time; the index tells the places of the rows.
    """
    stream = open_rows(problem, source)
    joiner, thinned = RowJoiner(problem, source=stream.name), Thinned(most_rows(problem))
    number = 0
    while (piece := read_piece(stream, number)) is not None:
        thinned.add(joiner.join(piece.rows))
        del piece  # before the next one is read
        number += 1
    joiner.finish()
    part = thinned.finish()
    if len(part) < thinned.rows:
        tell(f"{stream.name}: judged by {len(part)} of {thinned.rows} rows, evenly chosen")
    return part


def _in_words(counts: Counter[str]) -> str:
    found, total = counts["found"], counts.total()
    others = [f"{counts[why]} {why}" for why in ("too old", "none") if counts[why]]
    return f"{found} of {total} rows found theirs" + (f"; {', '.join(others)}" if others else "")
