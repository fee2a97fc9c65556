"""A champion packed as bento, image and Lambda archive, and what must be here for that."""

import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tasks.verify.emulator import NotRunnableError, bare_python
from tests.conftest import RunFlow
from tests.support import ROOT

BASE_IMAGE = "localhost/driftline-base"


@dataclass(frozen=True)
class Packed:
    """Where the packed champion lies."""

    home: Path
    project: Path
    bento: Path
    image: str
    megabytes: float
    archive: Path


def make_base_image() -> str:
    """A base image, made from Debian's packages where it is not there yet."""
    for program in ("podman", "runc", "mmdebstrap"):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            message = f"{program} (Debian's package {program})"
            raise NotRunnableError(message)
    if subprocess.run(["podman", "image", "exists", BASE_IMAGE], check=False).returncode:
        script = ROOT / "deployments" / "image" / "make_base.sh"
        words = [script, BASE_IMAGE]  # by whoever keeps what they write to themselves
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=300, umask=0o077)
    return BASE_IMAGE


def fetch_emulator(folder: Path) -> Path:
    """AWS's runtime interface emulator, from the wheel of aws-sam-cli."""
    if named := os.environ.get("DRIFTLINE_LAMBDA_RIE"):
        return Path(named)
    words = [bare_python(), "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    got = subprocess.run([*words, "aws-sam-cli"], check=False, capture_output=True, text=True)
    wheels = list(folder.glob("aws_sam_cli-*.whl"))
    if not wheels:
        message = f"the wheel of aws-sam-cli ({got.stderr.strip()[-200:]})"
        raise NotRunnableError(message)
    with zipfile.ZipFile(wheels[0]) as wheel:
        inner = wheel.extract("samcli/local/rapid/aws-lambda-rie-x86_64", folder)
    path = Path(inner)
    path.chmod(0o755)
    return path


def pack(problem: str, run_flow: RunFlow, base_image: str, home: Path, project: Path) -> Packed:
    """Train a problem and pack its champion, each by its own command."""
    trained = run_flow("train", problem, "--folds", "3", home=home, project=project)
    assert trained.returncode == 0, trained.stdout + trained.stderr
    words = ("--containerize", "--base-image", base_image)
    words += ("--lambda-zip", "--google-zip", "--azure-zip")
    done = run_flow("package", problem, *words, home=home, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((home / "runs" / "latest.json").read_text())
    return Packed(
        home=home,
        project=project,
        bento=Path(summary["bento"]["path"]),
        image=summary["image"]["tag"],
        megabytes=summary["image"]["megabytes"],
        archive=Path(summary["lambda"]["path"]),
    )


def forget_image(packed: Packed) -> None:
    """Remove the image."""
    words = ["podman", "image", "rm", "--force", packed.image]
    subprocess.run(words, check=False, capture_output=True)
