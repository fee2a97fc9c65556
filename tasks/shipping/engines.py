"""Container engines: which one answers, what it has, and how it runs an image within limits.

Whoever builds or runs images shares this.
"""

import json
import resource
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from driftline.errors import PackagingError

ENGINES = ("docker", "podman", "buildah")
MEMORY = "512m"
MOST_OPEN_FILES, MOST_PROCESSES = 4096, 4096
ASK_SECONDS = 120


@dataclass(frozen=True)
class Image:
    """A built image: its tag and its size."""

    tag: str
    megabytes: float


@dataclass(frozen=True)
class Run:
    """An image and how it is run."""

    image: str
    words: Sequence[str] = ()
    entrypoint: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[str] = ()


def choose_engine(wanted: str = "", among: Sequence[str] = ENGINES) -> str:
    """The engine that was asked for, or the first that answers; else a `PackagingError`."""
    if wanted and wanted not in among:
        message = f"container engine: got {wanted!r}, wanted one of: {', '.join(among)}"
        raise PackagingError(message)
    for name in [wanted] if wanted else among:
        if shutil.which(name) and ask([name, "info"]).returncode == 0:
            return name
    names = wanted or ", ".join(among)
    message = f"no container engine answers to `info`: tried {names}; install or start one"
    raise PackagingError(message)


def read_image(tag: str, engine: str) -> Image:
    """An image that the engine has; else a `PackagingError`."""
    if engine == "buildah":
        told = ask(["buildah", "images", "--json", tag])
        entries = json.loads(told.stdout or "[]") if told.returncode == 0 else []
        sizes = [_read_size(str(entry["size"])) for entry in entries]
    else:
        told = ask([engine, "image", "inspect", "--format", "{{.Size}}", tag])
        sizes = [float(line) for line in told.stdout.split()] if told.returncode == 0 else []
    if not sizes:
        message = f"image {tag}: {engine} does not have it"
        raise PackagingError(message)
    return Image(tag=tag, megabytes=round(sizes[0] / 1e6, 1))


@contextmanager
def run_image(engine: str, run: Run) -> Iterator[str]:
    """A container in Lambda's limits: a read-only root, `/tmp`, 512 MB, no rights; gives its id."""
    command = [engine, "run", "--detach", "--network=host", "--cap-drop=all"]
    command += ["--memory", MEMORY, "--memory-swap", MEMORY, *_ulimits()]
    command += ["--read-only", "--tmpfs", "/tmp:rw,mode=1777,size=64m"]  # noqa: S108 - in the container
    if engine == "podman":
        command.append("--read-only-tmpfs=false")
    for name, value in run.environment.items():
        command += ["--env", f"{name}={value}"]
    for mount in run.mounts:
        command += ["--volume", mount]
    if run.entrypoint:
        command += ["--entrypoint", run.entrypoint]
    started = ask([*command, run.image, *run.words])
    if started.returncode:
        message = f"{engine} could not run {run.image}: {_last_line(started.stderr)}"
        raise PackagingError(message)
    container = started.stdout.strip()
    try:
        yield container
    finally:
        ask([engine, "stop", "--time", "3", container])
        ask([engine, "rm", "--force", container])


def read_log(engine: str, container: str) -> str:
    """What a container has written."""
    told = ask([engine, "logs", container])
    return told.stdout + told.stderr


def is_running(engine: str, container: str) -> bool:
    """Whether a container has not ended."""
    told = ask([engine, "inspect", "--format", "{{.State.Running}}", container])
    return told.stdout.strip() == "true"


def ask(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(  # noqa: S603 - our own words
        command, capture_output=True, text=True, check=False, timeout=ASK_SECONDS
    )


def _ulimits() -> list[str]:
    """Named in words, since an engine's own defaults may be beyond what this machine allows."""
    files = _at_most(resource.RLIMIT_NOFILE, MOST_OPEN_FILES)
    processes = _at_most(resource.RLIMIT_NPROC, MOST_PROCESSES)
    return ["--ulimit", f"nofile={files}:{files}", "--ulimit", f"nproc={processes}:{processes}"]


def _at_most(kind: int, limit: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return limit if hard == resource.RLIM_INFINITY else min(hard, limit)


def _read_size(text: str) -> float:
    """Bytes of a size such as `219 MB`."""
    number, unit = text.split()
    return float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit.upper()]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason was given"])[-1]
