"""The tables of a problem's joins: written where its service looks fields up, and packed."""

from pathlib import Path

from bentos.settings import lookup_folder
from bentos.tables.lookups import LOOKUPS, insist_on_fields, table_path
from driftline.digests import digest_bytes
from driftline.errors import PackagingError
from driftline.problem import Problem
from driftline.served import ServedModel
from driftline.timelines import parse_timeline
from tasks.decorators import io, without_task_runs
from tasks.drafts import whole_file
from tasks.progress import tell
from tasks.reading.joins import read_timelines
from tasks.shipping.stores import share_table

MOST_PACKED_MEGABYTES = 20.0  # of a table: it lies in a function's memory, and counts for its limit


@io(name="write lookups", run_name="write lookups of {problem.name}")
def write_lookups(problem: Problem) -> dict[str, str]:
    """The table of each join, read anew from its source; its digest by the join's name.

    A file is replaced whole, and left as it is where its content is the same. Where the store is
    elsewhere it has the table first: its courier would put the one before back into this folder.
    """
    digests = {}
    with without_task_runs():
        timelines = read_timelines(problem)
    for name, timeline in timelines.items():
        content = timeline.to_bytes()
        digests[name] = digest_bytes(content)
        share_table(problem.name, name, content)
        path = table_path(lookup_folder(), problem.name, name)
        if not _holds(path, content):
            with whole_file(path) as draft:
                draft.write_bytes(content)
            tell(f"join {name}: table for lookups written (sha256 {digests[name][:12]})")
    return digests


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def pack_tables(model: ServedModel) -> dict[str, bytes]:
    """The tables that a model looks fields up in, by their names in an archive.

    One that is too large is left out, and told; one that is not there is a `PackagingError`.
    """
    packed = {}
    for join in model.contract.joins:
        path = table_path(lookup_folder(), model.contract.problem, join.name)
        try:
            content = path.read_bytes()
            insist_on_fields(parse_timeline(content), join)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            message = f"{path}: got {why}, wanted the table of the join {join.name!r}"
            raise PackagingError(f"{message} of version {model.version}") from None
        megabytes = len(content) / 1e6
        if megabytes > MOST_PACKED_MEGABYTES:
            tell(
                f"join {join.name}: its table of {megabytes:.1f} MB is not packed (at most "
                f"{MOST_PACKED_MEGABYTES:g}); give the function a folder with all tables, "
                "DRIFTLINE_LOOKUP_DIR (what is packed is not looked into then), or the store, "
                "DRIFTLINE_STORE_URL"
            )
            continue
        packed[str(table_path(Path(LOOKUPS), model.contract.problem, join.name))] = content
    return packed
