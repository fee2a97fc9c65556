"""Builds the image of the page: `python -m deployments.page_image --tag driftline-page`.

Its packages are installed here, by hash, and handed to the build, which thus needs no network.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from deployments.local.parts import ROOT, tell
from driftline.errors import DriftlineError, PackagingError
from tasks.shipping.engines import Image, ask, choose_engine, read_image
from tasks.shipping.wheels import (
    Target,
    compile_packages,
    install_packages,
    let_all_read,
    own_platform,
    own_python,
)

LOCK = "deployments/ui/requirements.lock"
CONTAINERFILE = "deployments/ui/Containerfile"
PACKAGES_IN_IMAGE = "/app/packages"
LAST_LINES = 12
CODE = (
    "deployments/__init__.py",
    "deployments/ui/*.py",
    "driftline/__init__.py",
    "driftline/computed.py",
    "driftline/contract.py",
    "driftline/date_parts.py",
    "driftline/dates.py",
    "driftline/deciding.py",
    "driftline/errors.py",
    "driftline/fields.py",
    "driftline/form.py",
    "driftline/formulas.py",
    "driftline/numbers.py",
    "driftline/plain_numbers.py",
    "driftline/spelling.py",
    "driftline/telling.py",
    "driftline/telling_numbers.py",
    "driftline/timelines.py",
)


def build(tag: str, base_image: str, engine: str = "") -> Image:
    """The built image; `PackagingError` says what the engine said."""
    engine = choose_engine(engine)
    target = Target(python=own_python(), platform=own_platform(), path=PACKAGES_IN_IMAGE)
    with tempfile.TemporaryDirectory(prefix="driftline-page-") as folder:
        packages = Path(folder) / "packages"
        tell(f"installing {LOCK} for Python {target.python} on {target.platform}")
        install_packages(ROOT / LOCK, packages, target)
        compile_packages(packages, target)
        code = Path(folder) / "code"
        copy_code(code)
        let_all_read(Path(folder))
        tell(f"building image {tag} on {base_image} with {engine}")
        words = [engine, "build", "--build-context", f"packages={packages}"]
        words += ["--build-arg", f"BASE_IMAGE={base_image}", "--tag", tag]
        done = ask([*words, "--file", str(ROOT / CONTAINERFILE), str(code)])
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-LAST_LINES:])
        message = f"image {tag}: {engine} could not build it:\n{last}"
        raise PackagingError(message)
    return read_image(tag, engine)


def copy_code(folder: Path) -> None:
    """The page's code, and no other, below a folder."""
    for path in (path for pattern in CODE for path in ROOT.glob(pattern)):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def main() -> int:
    """Build it, and say how large it is."""
    parser = argparse.ArgumentParser(description="Build the image of the page.")
    parser.add_argument("--tag", default="driftline-page")
    parser.add_argument("--base-image", default=f"python:{own_python()}-slim")
    parser.add_argument("--engine", default="", help="docker, podman or buildah")
    given = parser.parse_args()
    try:
        image = build(given.tag, given.base_image, given.engine)
    except DriftlineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    tell(f"{image.tag}: {image.megabytes:g} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
