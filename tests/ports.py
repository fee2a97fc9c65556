"""Ports for what tests start.

They lie below those that the system gives to connections (32768 and up on Linux), and each worker
has a range of its own: what is free when a test asks is free still when its server begins.
"""

import itertools
import os
import random
import socket

FIRST, RANGE, RANGES = 12_000, 2_500, 8
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{RANGES - 1}").removeprefix("gw")) % RANGES
_start = random.SystemRandom().randrange(RANGE)  # another run of tests may go on beside this one
_places = (FIRST + _worker * RANGE + (_start + place) % RANGE for place in itertools.count(step=1))


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on, one after the other where all are free."""
    return list(itertools.islice(filter(is_free, _places), count))


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
