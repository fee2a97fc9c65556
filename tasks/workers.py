"""The processes that a cluster of this machine works in, and what goes to them and comes back.

A process that imports for itself takes a second of a processor before it works, and almost as long
to end. So one imports for all of them, while the flow does other things, and they are its forks.
It has one thread, so nothing is torn in two by a fork, and it ends with this process.
"""

import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import forkserver
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from distributed import Client

METHOD = "forkserver"
ALWAYS = ("distributed", "distributed.nanny")
# else libraries of linear algebra start a thread for each core as they are imported
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def import_once(*modules: str) -> None:
    """Begin to import for all workers, beside this process; where that is begun, it goes on."""
    multiprocessing.set_forkserver_preload([*ALWAYS, *modules])
    with _environment(ONE_THREAD):
        forkserver.ensure_running()


@contextmanager
def without_script() -> Iterator[None]:
    """Processes that start within do not import what runs here as a script.

    Python would have them do so, and a flow's module imports Prefect, of which they need nothing.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]


class Sent:
    """Parts and what is made of them go over the cluster's connections: workers are anywhere."""

    def share(self, client: "Client", shared: Sequence[Any]) -> Any:
        """What all calls are asked with: a call itself, made again where its worker died."""
        return client.submit(tuple, shared, key=f"shared-{uuid4().hex}")

    def give(self, part: Any) -> Any:
        """What a call is asked with for a part."""
        return part

    def call(self, function: Callable[..., Any], shared: Any, part: Any) -> Any:
        """The part's function on a worker."""
        return function(*shared, part)

    def take(self, given: Any, made: Any) -> Any:
        """What was made, of what came back."""
        del given
        return made


@dataclass(frozen=True)
class Filed(Sent):
    """They go as files of this machine, and connections carry the names alone.

    Else each byte would pass the scheduler, which is in this process, and take its processor.
    """

    folder: Path

    def share(self, client: "Client", shared: Sequence[Any]) -> Path:
        """Its file, so that no worker waits for what another holds."""
        del client
        return self._write(tuple(shared))

    def give(self, part: Any) -> Path:
        """The part's file, which stays until it is answered: its worker may die."""
        return self._write(part)

    def call(self, function: Callable[..., Any], shared: Path, part: Path) -> Path:
        """The same from file to file."""
        return self._write(function(*_read_once(shared), _read(part)))

    def take(self, given: Path, made: Path) -> Any:
        """What was made; both files are removed."""
        found = _read(made)
        given.unlink()
        made.unlink()
        return found

    def _write(self, value: Any) -> Path:
        import cloudpickle  # as Dask would: a contract holds functions of its own

        path = self.folder / uuid4().hex
        with path.open("wb") as file:
            cloudpickle.dump(value, file)
        return path


@contextmanager
def filing(folder: Path) -> Iterator[Filed]:
    """A place for files within a folder, removed afterwards; of killed runs, by the next one."""
    from distributed.diskutils import WorkSpace

    place = WorkSpace(str(folder)).new_work_dir(prefix="run-")
    try:
        yield Filed(Path(place.dir_path))
    finally:
        place.release()


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301 - by this run, in a folder of its own


@lru_cache(maxsize=1)
def _read_once(path: Path) -> Any:
    return _read(path)
