"""Processes of this machine that share the work of one run, and end with it.

They are new programs, not copies of this one: a copy of a process that has threads may hang. What
they are sent are calls that depend on nothing but their arguments, over pipes alone: whatever ends
this process, they meet the end of their pipe, and nothing is left behind. This file is also the
program of those children.
"""

import gc
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, NoReturn, TypeVar

from driftline.errors import UnavailableError

Part = TypeVar("Part")
Made = TypeVar("Made")
Child = subprocess.Popen[bytes]
LOOK_SECONDS: Final = 0.5
MOST_PROCESSES: Final = 8  # each of them holds some 200 MB

_OPEN: list["Processes"] = []


class Processes:
    """So many of them at most, which start when they are first needed."""

    def __init__(self, most: int) -> None:
        """None yet."""
        self.most = min(most, MOST_PROCESSES)
        self._children: list[Child] = []
        self._idle: SimpleQueue[Child] = SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None

    def map(self, function: Callable[[Part], Made], parts: Iterable[Part]) -> Iterator[Made]:
        """`function` of each part, side by side; in the order of the parts.

        Raises:
            UnavailableError: a process was ended from outside.
        """
        return self._begin().map(partial(self._ask, function), parts)

    def each(
        self, function: Callable[[Part], Made], parts: Iterable[Part]
    ) -> Iterator[tuple[Part, Made]]:
        """The same with its part, each as soon as it is made."""
        threads = self._begin()
        part_of = {threads.submit(self._ask, function, part): part for part in parts}
        for made in as_completed(part_of):
            yield part_of[made], made.result()

    def begin(self, modules: Sequence[str]) -> None:
        """Start them, and have each import what its calls will need, while others go on here."""
        threads = self._begin()
        for _ in self._children:
            threads.submit(self._ask, _import, modules)

    def _begin(self) -> ThreadPoolExecutor:
        """The threads that ask the processes, which are started with them."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.most)
            for _ in range(self.most):
                self._children.append(_start())
                self._idle.put(self._children[-1])
        return self._threads

    def _ask(self, function: Callable[[Part], Made], part: Part) -> Made:
        child = self._idle.get()
        try:
            return _ask(child, partial(function, part))
        finally:
            self._idle.put(child)

    def close(self) -> None:
        """End them, whatever they are at."""
        for child in self._children:
            child.kill()
            child.wait()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        for child in self._children:
            with suppress(OSError), child:  # what was being written to it
                pass


def _import(modules: Sequence[str]) -> None:
    for module in modules:
        import_module(module)


def _start() -> Child:
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-P", "-W", "ignore", __file__, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(each or str(Path.cwd()) for each in sys.path)},
        start_new_session=True,  # a terminal's Ctrl+C is for this process
    )


def _ask(child: Child, call: Callable[[], Made]) -> Made:
    """What a call gives or raises, made by a child."""
    assert child.stdin is not None  # noqa: S101 - both are pipes
    assert child.stdout is not None  # noqa: S101 - both are pipes
    try:
        pickle.dump(call, child.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        child.stdin.flush()
        is_made, made = pickle.load(child.stdout)  # noqa: S301 - of our own program
    except (EOFError, OSError, pickle.UnpicklingError) as error:
        message = (
            "a process that computed for this run was ended from outside, most likely for want "
            "of memory; DRIFTLINE_THREADS=1 starts none"
        )
        raise UnavailableError(message) from error
    if not is_made:
        raise made
    result: Made = made
    return result


@contextmanager
def open_processes(most: int) -> Iterator[None]:
    """Within it `get_processes` has some, where more than one may be had."""
    processes = Processes(most)
    _OPEN.append(processes)
    try:
        yield
    finally:
        _OPEN.remove(processes)
        processes.close()


def count_cores() -> int:
    """The cores that this process may take, by `DRIFTLINE_THREADS` or its control group."""
    from joblib import cpu_count

    from tasks.settings import get_settings

    return get_settings().threads or int(cpu_count())


def get_processes() -> Processes | None:
    """Those that are open now, if there are any."""
    return _OPEN[-1] if _OPEN and _OPEN[-1].most > 1 else None


def main() -> None:
    """Answer calls for as long as the parent lives."""
    gc.set_threshold(100_000, 50, 100)  # as `tasks.collecting`, which this program cannot import
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    while True:
        try:
            call = pickle.load(calls)  # noqa: S301 - of our own parent
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - the parent raises it
            call = partial(_raise, error)
        answer = _make(call)
        try:
            pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()
        except BrokenPipeError:
            os._exit(1)  # nobody waits for it any more


def _make(call: Callable[[], Any]) -> tuple[bool, Any]:
    try:
        return True, call()
    except Exception as error:  # noqa: BLE001 - the parent raises it
        return False, error


def _raise(error: Exception) -> NoReturn:
    raise error


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
