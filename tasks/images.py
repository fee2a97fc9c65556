"""Container images: BentoML's containerize over podman, buildah or docker."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from driftline.errors import PackagingError
from tasks.decorators import io
from tasks.progress import tell
from tasks.settings import get_settings
from tasks.wheels import Target, compile_packages, install_packages, own_platform, own_python

BACKENDS = ("docker", "podman", "buildah")
PACKAGES_IN_IMAGE = "/app/packages"
SERVING_LOCK = "bentos/requirements.lock"
FINISH = "deployments/image/finish_image.py"
LAST_LINES = 12


@dataclass(frozen=True)
class Image:
    """A built image: its tag and its size."""

    tag: str
    megabytes: float


@dataclass(frozen=True)
class Build:
    """How an image is built; the empty string means: as this machine has it."""

    base_image: str = ""
    backend: str = ""
    options: str = ""


@io(name="containerize")
def containerize(tag: str, build: Build) -> Image:
    """The image of a bento, under the bento's own tag.

    Its packages are installed here, by hash, and handed to the build, which thus needs no network.
    `options` are `name=value` pairs for the engine's own build command, apart by blanks.
    """
    backend = choose_backend(build.backend)
    target = Target(python=own_python(), platform=own_platform(), path=PACKAGES_IN_IMAGE)
    root = get_settings().project_dir
    with tempfile.TemporaryDirectory(prefix="driftline-image-") as folder:
        packages = Path(folder) / "packages"
        tell(f"installing {SERVING_LOCK} for Python {target.python} on {target.platform}")
        install_packages(root / SERVING_LOCK, packages, target)
        compile_packages(packages, target)
        shutil.copyfile(root / FINISH, packages / Path(FINISH).name)
        (packages / "python_version").write_text(target.python, encoding="ascii")
        base_image = build.base_image or f"python:{target.python}-slim"
        options = [f"build-context=packages={packages}", f"build-arg=BASE_IMAGE={base_image}"]
        tell(f"building image {tag} on {base_image} with {backend}")
        _build(tag, backend, [*options, *build.options.split()])
    return Image(tag=tag, megabytes=round(_size_bytes(tag, backend) / 1e6, 1))


def choose_backend(wanted: str = "") -> str:
    """The engine that was asked for, or the first that answers; else a `PackagingError`."""
    if wanted and wanted not in BACKENDS:
        message = f"--backend: got {wanted!r}, wanted one of: {', '.join(BACKENDS)}"
        raise PackagingError(message)
    for name in [wanted] if wanted else BACKENDS:
        if shutil.which(name) and _ask([name, "info"]).returncode == 0:
            return name
    names = wanted or ", ".join(BACKENDS)
    message = f"no container engine answers to `info`: tried {names}; install or start one"
    raise PackagingError(message)


def find_image(tag: str) -> Image | None:
    """An image that was built before, or None."""
    try:
        backend = choose_backend()
        return Image(tag=tag, megabytes=round(_size_bytes(tag, backend) / 1e6, 1))
    except PackagingError:
        return None


def _build(tag: str, backend: str, options: list[str]) -> None:
    """Run `bentoml containerize`, tell its steps, and keep its last lines for an error."""
    command = [sys.executable, "-m", "bentoml", "containerize", tag, "-t", tag]
    command += ["--backend", backend]
    for option in options:
        command += ["--opt", option]
    with subprocess.Popen(  # noqa: S603 - our own words
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # BentoML 1.4 looks for the template below the working folder, in its own temporary one
        cwd=tempfile.gettempdir(),
        env=os.environ | {"BENTOML_HOME": str(Path(os.environ["BENTOML_HOME"]).absolute())},
    ) as process:
        last: deque[str] = deque(maxlen=LAST_LINES)
        for line in process.stdout or ():
            last.append(line.rstrip())
            if line.startswith(("STEP ", "#")) and " FROM " in line.replace("]", "] "):
                tell(line.strip())
    if process.returncode:
        message = f"image {tag}: {backend} could not build it:\n" + "\n".join(last)
        raise PackagingError(message)


def _size_bytes(tag: str, backend: str) -> float:
    if backend == "buildah":
        told = _ask(["buildah", "images", "--json", tag])
        entries = json.loads(told.stdout or "[]") if told.returncode == 0 else []
        sizes = [_read_size(str(entry["size"])) for entry in entries]
    else:
        told = _ask([backend, "image", "inspect", "--format", "{{.Size}}", tag])
        sizes = [float(line) for line in told.stdout.split()] if told.returncode == 0 else []
    if not sizes:
        message = f"image {tag}: {backend} does not have it"
        raise PackagingError(message)
    return sizes[0]


def _read_size(text: str) -> float:
    """Bytes of a size such as `219 MB`."""
    number, unit = text.split()
    return float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit.upper()]


def _ask(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own words
