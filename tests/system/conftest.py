"""A champion of the tiny problem, packed as bento, image and Lambda archive, once for all tests."""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import ROOT, TINY, file_problem, lacking, tiny_rows

BASE_IMAGE = "localhost/driftline-base"
RunFlow = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Packed:
    """Where the packed champion lies."""

    home: Path
    project: Path
    bento: Path
    image: str
    megabytes: float
    archive: Path


@pytest.fixture(scope="session")
def base_image() -> str:
    """A base image, made from Debian's packages where it is not there yet."""
    for program in ("podman", "runc", "mmdebstrap"):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            lacking(f"{program} (Debian's package {program})")
    if subprocess.run(["podman", "image", "exists", BASE_IMAGE], check=False).returncode:
        script = ROOT / "deployments" / "image" / "make_base.sh"
        made = subprocess.run(
            [script, BASE_IMAGE], check=False, capture_output=True, text=True, timeout=300
        )
        assert made.returncode == 0, made.stderr
    return BASE_IMAGE


@pytest.fixture(scope="session")
def rie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AWS's runtime interface emulator, from the wheel of aws-sam-cli."""
    if named := os.environ.get("DRIFTLINE_LAMBDA_RIE"):
        return Path(named)
    from tasks.emulator import bare_python

    folder = tmp_path_factory.mktemp("rie")
    words = [bare_python(), "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    got = subprocess.run([*words, "aws-sam-cli"], check=False, capture_output=True, text=True)
    wheels = list(folder.glob("aws_sam_cli-*.whl"))
    if not wheels:
        lacking(f"the wheel of aws-sam-cli ({got.stderr.strip()[-200:]})")
    with zipfile.ZipFile(wheels[0]) as wheel:
        inner = wheel.extract("samcli/local/rapid/aws-lambda-rie-x86_64", folder)
    path = Path(inner)
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def packed(
    run_flow: RunFlow, base_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Packed]:
    """The tiny problem, trained and packed by its own commands."""
    folder = tmp_path_factory.mktemp("packed")
    home, project = folder / "home", folder / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows().to_csv(project / "rows.csv", index=False)
    trained = run_flow("train", "tiny", "--folds", "3", home=home, project=project)
    assert trained.returncode == 0, trained.stdout + trained.stderr
    words = ("--containerize", "--base-image", base_image, "--lambda-zip")
    done = run_flow("package", "tiny", *words, home=home, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((home / "runs" / "latest.json").read_text())
    yield Packed(
        home=home,
        project=project,
        bento=Path(summary["bento"]["path"]),
        image=summary["image"]["tag"],
        megabytes=summary["image"]["megabytes"],
        archive=Path(summary["lambda"]["path"]),
    )
    subprocess.run(
        ["podman", "image", "rm", "--force", summary["image"]["tag"]],
        check=False,
        capture_output=True,
    )


@pytest.fixture(scope="session")
def record(packed: Packed) -> dict[str, object]:
    """A record of the tiny problem."""
    del packed
    return {"age": 61, "level": 1.25, "sex": "F"}
