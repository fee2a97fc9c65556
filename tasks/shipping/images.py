"""Container images: BentoML's containerize over podman, buildah or docker."""

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
from tasks.shipping.engines import Image, choose_engine, read_image
from tasks.shipping.wheels import (
    Target,
    compile_packages,
    install_packages,
    let_all_read,
    own_platform,
    own_python,
)

PACKAGES_IN_IMAGE = "/app/packages"
SERVING_LOCK = "bentos/requirements.lock"
FINISH = "deployments/image/finish_image.py"
LAST_LINES = 12
MOST_LINES = 400
ENGINE_SAID = "BentoMLException: "


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
    backend = choose_engine(build.backend)
    target = Target(python=own_python(), platform=own_platform(), path=PACKAGES_IN_IMAGE)
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory(prefix="driftline-image-") as folder:
        packages = Path(folder) / "packages"
        tell(f"installing {SERVING_LOCK} for Python {target.python} on {target.platform}")
        install_packages(root / SERVING_LOCK, packages, target)
        tell("compiling the packages")
        compile_packages(packages, target)
        shutil.copyfile(root / FINISH, packages / Path(FINISH).name)
        (packages / "python_version").write_text(target.python, encoding="ascii")
        let_all_read(packages)
        base_image = build.base_image or f"python:{target.python}-slim"
        options = [f"build-context=packages={packages}", f"build-arg=BASE_IMAGE={base_image}"]
        tell(f"building image {tag} on {base_image} with {backend}")
        _build(tag, backend, [*options, *build.options.split()])
    return read_image(tag, backend)


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
        last: deque[str] = deque(maxlen=MOST_LINES)
        for line in process.stdout or ():
            last.append(line.rstrip())
            if line.startswith(("STEP ", "#")):
                tell(line.strip())
    if process.returncode:
        message = f"image {tag}: {backend} could not build it:\n{_reason(list(last))}"
        raise PackagingError(message)


def _reason(lines: list[str]) -> str:
    """What the engine said, without BentoML's own trace before it."""
    for number, line in enumerate(lines):
        if ENGINE_SAID in line:
            lines = [line.partition(ENGINE_SAID)[2], *lines[number + 1 :]]
    return "\n".join(lines[-LAST_LINES:]).strip()
