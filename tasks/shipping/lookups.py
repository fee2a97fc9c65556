"""Writes the tables of a problem's joins where its service looks fields up."""

from pathlib import Path

from bentos.lookups import table_path
from bentos.settings import lookup_folder
from driftline.digests import digest_bytes
from driftline.problem import Problem
from tasks.decorators import io, without_task_runs
from tasks.drafts import whole_file
from tasks.progress import tell
from tasks.reading.joins import read_timelines


@io(name="write lookups", run_name="write lookups of {problem.name}")
def write_lookups(problem: Problem) -> dict[str, str]:
    """The table of each join, read anew from its source; its digest by the join's name.

    A file is replaced whole, and left as it is where its content is the same.
    """
    digests = {}
    with without_task_runs():
        timelines = read_timelines(problem)
    for name, timeline in timelines.items():
        content = timeline.to_bytes()
        digests[name] = digest_bytes(content)
        path = table_path(lookup_folder(), problem.name, name)
        if not _holds(path, content):
            with whole_file(path) as draft:
                draft.write_bytes(content)
            tell(f"join {name}: table for lookups written (sha256 {digests[name][:12]})")
    return digests


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
