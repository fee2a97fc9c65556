"""Where the heavy parts of a task run: on this machine's processors, or on a Dask cluster.

A part is a call that depends on nothing but its arguments, so that it may run again: a finished
part does where a worker dies. What it makes is kept by the task that asked, never by a worker.
`DRIFTLINE_DASK` names a scheduler (`tcp://host:8786`), or a number of processes to start here. The
workers need this project at the same version. Dask sends code over its connections: they belong
into a private network, or under its own TLS settings.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from driftline.errors import SettingsError, UnavailableError
from tasks.processes import count_cores, get_processes, open_processes
from tasks.settings import get_settings
from tasks.workers import METHOD, Sent, filing, import_once, without_script

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

Part = TypeVar("Part")
Made = TypeVar("Made")
LONGEST_WAIT_SECONDS = 30
AHEAD = 2  # parts for each thread of a worker: one that it has, and one that waits for it
DEATHS_ALLOWED = 3  # of workers under one part: then the part is to blame


def is_clustered() -> bool:
    """Whether heavy parts go to a Dask cluster."""
    return bool(get_settings().dask)


def begin_imports(modules: Iterable[str]) -> None:
    """Where workers are processes of this machine, import for them from now on, beside this one.

    A flow that begins with it has them at hand when it comes to its heavy parts.
    """
    if get_settings().dask.isdecimal():
        import_once(*modules)


def spread(
    function: Callable[..., Made], shared: Sequence[Any], parts: Sequence[Part]
) -> Iterator[tuple[Part, Made]]:
    """`function(*shared, part)` of each part, side by side; each as soon as it is made.

    Raises:
        SettingsError: `DRIFTLINE_DASK` is neither an address nor a number of processes.
        UnavailableError: the cluster is away, or its workers died.
    """
    if is_clustered():
        with open_cluster() as client:
            yield from _spread_on(client, function, shared, parts)
        return
    with open_processes(count_cores()):
        processes = get_processes()
        if processes is None:
            yield from ((part, function(*shared, part)) for part in parts)
        else:
            yield from processes.each(partial(function, *shared), parts)


def _spread_on(
    client: "Client",
    function: Callable[..., Made],
    shared: Sequence[Any],
    parts: Sequence[Part],
) -> Iterator[tuple[Part, Made]]:
    from distributed import as_completed

    run = uuid4().hex  # results of another run with the same arguments are not mixed in
    # as a call, which is made again where the worker that held it died
    kept = client.submit(tuple, shared, key=f"shared-{run}")
    pending = [
        client.submit(_call, function, kept, part, key=f"part-{place}-{run}")
        for place, part in enumerate(parts)
    ]
    place_of = {future.key: place for place, future in enumerate(pending)}
    with _naming_deaths():
        for future, made in as_completed(pending, loop=client.loop, with_results=True):
            future.release()
            yield parts[place_of[future.key]], made


def spread_ahead(
    function: Callable[..., Made], shared: Sequence[Any], parts: Iterable[Part]
) -> Iterator[tuple[Part, Made]]:
    """The same on a cluster, of parts that are taken only as workers come free for them.

    So however many there are, few of them lie in memory.
    """
    from distributed import as_completed

    with _carrying() as carried, open_cluster() as client:
        run, source, held = uuid4().hex, enumerate(parts), dict[Any, tuple[Part, Any]]()
        kept = carried.share(client, shared)
        completed = as_completed((), loop=client.loop, with_results=True)

        def take() -> None:
            for place, part in islice(source, 1):
                key, given = (f"part-{run}", place), carried.give(part)
                completed.add(client.submit(carried.call, function, kept, given, key=key))
                held[key] = part, given

        threads = sum(client.nthreads().values())  # 0 where the last worker died just now
        for _ in range(AHEAD * max(1, threads)):
            take()
        while held:
            with _naming_deaths():
                future, made = next(completed)
            future.release()
            part, given = held.pop(future.key)
            take()
            yield part, carried.take(given, made)


@contextmanager
def _carrying() -> Iterator[Sent]:
    """How parts go to workers: of this machine as files, to others as they are."""
    if not get_settings().dask.isdecimal():
        yield Sent()
        return
    with filing(_scratch() / "handed") as carried:
        yield carried


@contextmanager
def _naming_deaths() -> Iterator[None]:
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as error:
        message = (
            f"DRIFTLINE_DASK: workers died {DEATHS_ALLOWED + 1} times under one part; "
            "wanted workers with more memory, or fewer of them on a machine"
        )
        raise UnavailableError(message) from error


def _call(function: Callable[..., Made], shared: Sequence[Any], part: Any) -> Made:
    return function(*shared, part)


@contextmanager
def open_cluster() -> Iterator["Client"]:
    """A client of its own for one task, closed with it, and the processes where they are ours."""
    import dask
    from distributed import Client

    where = get_settings().dask
    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": DEATHS_ALLOWED,
            "distributed.admin.large-graph-warning-threshold": "10GB",  # a table goes over once
        }
    )
    if "://" in where:
        with _connect(where) as client:
            yield client
        return
    with (
        _start(_processes(where)) as cluster,
        Client(cluster, set_as_default=False, direct_to_workers=True) as client,
    ):
        yield client


def _start(processes: int) -> "LocalCluster":
    """A cluster in processes of this machine, with one thread each."""
    import dask
    from distributed import LocalCluster

    dask.config.set(
        {
            "distributed.worker.multiprocessing-method": METHOD,
            "distributed.scheduler.worker-saturation": 1.0,  # a part goes to whoever is free
            # what only a dashboard would show, and there is none
            "distributed.worker.profile.enabled": False,
            "distributed.admin.tick.interval": "1s",
            "distributed.admin.system-monitor.interval": "5s",
        }
    )
    options: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": None}
    options |= {"threads_per_worker": 1, "silence_logs": logging.CRITICAL}  # traces as it closes
    options["local_directory"] = str(_scratch())
    options["env"] = dict(os.environ)  # as it is now, not as it was when imports began
    import_once()
    with without_script():
        return LocalCluster(n_workers=processes, processes=True, **options)


def _scratch() -> Path:
    return get_settings().home.absolute() / "dask"


def _processes(text: str) -> int:
    if text.isdecimal() and int(text):
        return int(text)
    message = (
        f"DRIFTLINE_DASK: got {text!r}, wanted a scheduler's address, such as "
        "tcp://127.0.0.1:8786, or a number of processes to start here"
    )
    raise SettingsError(message)


def _connect(address: str) -> "Client":
    from distributed import Client

    from tasks.progress import tell  # with Prefect, of which a worker needs nothing

    client = None
    try:
        client = Client(address, timeout=LONGEST_WAIT_SECONDS, set_as_default=False)
        client.wait_for_workers(1, timeout=LONGEST_WAIT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        why = "no worker there" if client is not None else "no scheduler answers there"
        if client is not None:
            client.close()
        message = f"DRIFTLINE_DASK: {address}: {why} (waited {LONGEST_WAIT_SECONDS} s)"
        raise UnavailableError(message) from error
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    tell(f"heavy parts go to {address}, workers there: {workers}")
    return client
