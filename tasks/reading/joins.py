"""Completes a problem's raw rows from the tables that its joins name."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from driftline.joining import join_rows, read_timeline
from driftline.locations import redact
from driftline.problem import Problem
from driftline.timelines import Timeline
from tasks.decorators import io, work
from tasks.progress import tell
from tasks.reading.sources import Found, expect, read_source, read_table

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


@work(name="join rows")
def complete_rows(
    raw: pd.DataFrame, problem: Problem, timelines: Timelines, *, source: str
) -> pd.DataFrame:
    """The rows with what the joins fill in; says how many rows found theirs."""
    joined, told = join_rows(raw, problem, timelines, source=source)
    for name, counts in told.items():
        tell(f"join {name}: {_in_words(counts)}")
    return joined


def read_complete(problem: Problem, source: str | None = None) -> Found:
    """What `read_source` reads, completed by the problem's joins; which tables, in `read_as`."""
    found = read_source(problem, source)
    if not problem.joins:
        return found
    timelines = read_timelines(problem)
    rows = complete_rows(found.rows, problem, timelines, source=found.name)
    told = [f"{name} joined (sha256 {one.sha256[:12]})" for name, one in timelines.items()]
    return Found(rows, found.name, "; ".join([found.read_as, *told] if found.read_as else told))


def _in_words(counts: Counter[str]) -> str:
    found, total = counts["found"], counts.total()
    others = [f"{counts[why]} {why}" for why in ("too old", "none") if counts[why]]
    return f"{found} of {total} rows found theirs" + (f"; {', '.join(others)}" if others else "")
