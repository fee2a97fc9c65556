"""How many cores numerical work takes: one, but for the fits of large tables and many folds.

The loops of a small fit are so short that its threads mostly wait for each other: with two of them
a boosting of 8,000 rows takes twice the time of one, and calibrating a linear model five times. So
on a small table each fit takes one, and the folds of a comparison that takes long are spread over
processes; those need a second or two to start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from driftline.answers import folds_by
from tasks.processes import Processes, count_cores, get_processes, open_processes

LARGE_VALUES: Final = 2_000_000  # rows times columns of a table whose fits gain by more threads
IMPORTED: Final = ("driftline.candidates", "driftline.design", "sklearn.ensemble", "sklearn.impute")
LONG_SECONDS: Final = 2.0  # of a comparison whose folds gain by more processes


@contextmanager
def threads_for(values: int) -> Iterator[None]:
    """Within it fits take one thread, or those of `DRIFTLINE_THREADS` on so many `values`.

    Models are equal up to the order in which floating-point numbers are added up.
    """
    if values < LARGE_VALUES:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(count_cores()):
        yield


@contextmanager
def side_by_side() -> Iterator[None]:
    """Within it `processes_for` has processes to spread folds over."""
    with open_processes(count_cores()):
        yield


@contextmanager
def processes_for(values: int, *, seconds: float) -> Iterator[None]:
    """Within it folds that take so many `seconds` of a core go over several processes.

    The models are the same to the last bit.
    """
    processes = _find(values, seconds)
    if processes is None:
        yield
        return
    with folds_by(processes.map):
        yield


def begin_processes(values: int, *, seconds: float) -> None:
    """Start them ahead where such folds are to come: they import for a second or two."""
    processes = _find(values, seconds)
    if processes is not None:
        processes.begin(IMPORTED)


def _find(values: int, seconds: float) -> Processes | None:
    is_worth_it = values < LARGE_VALUES and seconds >= LONG_SECONDS
    return get_processes() if is_worth_it else None
