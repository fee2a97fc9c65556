"""What workers of a cluster do in tests; they import this and, but for the last, no library."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.errors import DataError

if TYPE_CHECKING:
    from tasks.log.answering import AnsweredPart, Asked, Rows


def square_and_die_once(folder: Path, part: int) -> int:
    """The square; whoever comes first to part 3 is killed there."""
    if part == 3 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return part * part


def die(part: int) -> None:
    del part
    os.kill(os.getpid(), signal.SIGKILL)


def complain(part: int) -> None:
    message = f"part {part}: got nothing, wanted something"
    raise DataError(message)


def answer_and_die_once(folder: Path, asked: "Asked", rows: "Rows") -> "AnsweredPart":
    """The answers; whoever comes first to part 3 is killed there."""
    from tasks.log.answering import answer_rows

    square_and_die_once(folder, rows.number)
    return answer_rows(asked, rows)


def print_and_square(part: int) -> int:
    print("a library tells something")  # noqa: T201 - as some do
    return part * part


def tell_own_id(part: int) -> int:
    del part
    return os.getpid()


def wait_for_ever(part: int) -> None:
    del part
    signal.pause()


def tell_variable(name: str) -> str:
    return os.environ.get(name, "")


def tell_imported(name: str) -> bool:
    return name in sys.modules
