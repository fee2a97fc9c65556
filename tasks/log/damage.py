"""Parts of batches whose files are gone or damaged: left out, marked in the store, told once.

A mark lies beside the part's place, by its name; what it holds says whether people know.
"""

from functools import lru_cache

import pandas as pd
from sqlalchemy import select

from bentos.log.tables import PARTS
from driftline.errors import DataError, NotFoundError
from driftline.problem import Problem
from tasks.data.files import list_names, locate, read_file, remove_file, write_file
from tasks.decorators import io
from tasks.log.parts import FOLDER, MARK, locate_part, read_part
from tasks.log.records import open_records
from tasks.progress import tell

TOLD = b"told"
WAY_OUT = (
    "what it holds is left out of windows, labels and trainings until it is brought back as it was "
    "or the same source is scored by the same version again (flows.score, another --output)"
)


def find_part(problem: str, part: str, sha256: str) -> pd.DataFrame | None:
    """The answered rows of a part; None where they cannot be read, which is marked and told.

    What retention has let go meanwhile is None too, and no damage.
    """
    try:
        return read_part(problem, part, sha256)
    except (DataError, NotFoundError) as error:
        if _is_kept(part):
            _mark(f"{locate_part(problem, part, sha256)}{MARK}")
            _tell_once(f"{error}; {WAY_OUT}")
        return None


@io(name="look after damaged parts")
def read_untold_damage(problem: Problem) -> list[str]:
    """Addresses of damaged parts that people do not know of, each given once.

    The mark of a part that is whole again, or forgotten, goes.
    """
    found = []
    marks = [name for name in list_names(locate(FOLDER, problem.name)) if name.endswith(MARK)]
    known = {locate_part(problem.name, part, sha256): (part, sha256) for part, sha256 in _kept()}
    for name in marks:
        mark = locate(FOLDER, problem.name, name)
        address = mark.removesuffix(MARK)
        if address not in known or _is_whole(problem.name, *known[address]):
            remove_file(mark)
        elif read_file(mark) != TOLD:
            write_file(mark, TOLD)
            found.append(address)
    return found


def count_damaged(problem: str) -> int:
    """How many parts of a problem are marked."""
    return sum(name.endswith(MARK) for name in list_names(locate(FOLDER, problem)))


def _is_whole(problem: str, part: str, sha256: str) -> bool:
    try:
        read_part(problem, part, sha256)
    except (DataError, NotFoundError):
        return False
    return True


def _is_kept(part: str) -> bool:
    with open_records().connect() as connection:
        query = select(PARTS.c.is_kept).where(PARTS.c.id == part)
        return bool(connection.execute(query).scalar())


def _kept() -> list[tuple[str, str]]:
    query = select(PARTS.c.id, PARTS.c.sha256).where(PARTS.c.is_kept, PARTS.c.sha256.is_not(None))
    with open_records().connect() as connection:
        return [(part, sha256) for part, sha256 in connection.execute(query)]


def _mark(address: str) -> None:
    try:
        read_file(address)
    except NotFoundError:
        write_file(address, b"")


@lru_cache(maxsize=256)
def _tell_once(message: str) -> None:
    """A run reads a part several times, and says once that it cannot."""
    tell(message)
