"""How many threads numerical work takes: one, but for the fits of large tables.

The loops of a small fit are so short that its threads mostly wait for each other: with two of them
a boosting of 8,000 rows takes twice the time of one, and calibrating a linear model five times.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tasks.settings import get_settings

LARGE_VALUES: Final = 2_000_000  # rows times columns of a table whose fits gain by more threads


@contextmanager
def threads_for(values: int) -> Iterator[None]:
    """Within it fits take one thread, or those of `DRIFTLINE_THREADS` on so many `values`.

    Models are equal up to the order in which floating-point numbers are added up.
    """
    if values < LARGE_VALUES:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(get_settings().threads or os.cpu_count()):
        yield
