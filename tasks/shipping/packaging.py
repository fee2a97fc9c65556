"""BentoML: builds a bento from a model's ONNX file, its contract and the serving code alone."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bentos.takeover.shelf import (
    archive_in_store,
    bentoml_home,
    pack,
    place_of,
    pointer_in_store,
    put_in_place,
    read_pointer,
    unpack,
    write_pointer,
)
from driftline.digests import digest_bytes
from driftline.errors import NotFoundError, PackagingError
from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.data.files import is_stored, locate, read_file, write_file
from tasks.decorators import io
from tasks.progress import tell
from tasks.settings import get_settings

SERVED_CODE = (
    "bentos/**/*.py",
    "bentos/log/migrations/script.py.mako",
    "bentos/log/migrations/sqlite.sql",
    "driftline/__init__.py",
    "driftline/contract.py",
    "driftline/refusals.py",
    "driftline/spelling.py",
)
SERVING_LOCK = "bentos/requirements.lock"
BASE_IMAGE = "python:3.11-slim"  # a name; the build is told which one to take
DRAFT = ".draft-"
IMAGE_TEMPLATE = "deployments/image/Dockerfile.j2"


@dataclass(frozen=True)
class Bento:
    """A built bento: its tag and the folder that holds it."""

    tag: str
    path: str


@io(name="build bento")
def build_bento(problem: Problem, model: ServedModel) -> Bento:
    """The bento of this model version; built once, since its version names its content."""
    tag = f"{problem.name}:v{model.version}-{_digest_content(model)[:12]}"
    folder = place_of(tag)
    archive = locate(archive_in_store(tag))
    is_elsewhere = get_settings().is_store_elsewhere
    is_shared = is_elsewhere and is_stored(archive)
    if not folder.is_dir():
        if is_shared:
            tell(f"fetching bento {tag}")
            unpack(read_file(archive), folder)
        else:
            tell(f"building bento {tag}")
            _build(problem, model, tag)
    if is_elsewhere and not is_shared:
        write_file(archive, pack(folder))
    return Bento(tag=tag, path=str(folder))


def _build(problem: Problem, model: ServedModel, tag: str) -> None:
    """Build aside, and put the bento in its place when it is complete."""
    folder = place_of(tag)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        _alone_in(folder.parent),
        tempfile.TemporaryDirectory() as context,
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=DRAFT) as home,
    ):
        _lay_out(Path(context), problem, model)
        _run_build(Path(context), tag, Path(home))
        put_in_place(Path(home, "bentos", problem.name, folder.name), folder)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other builds of this machine out, and remove the drafts of those that were killed."""
    with (bentoml_home() / f".building-{folder.name}").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for draft in folder.glob(f"{DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)
        yield


def _run_build(context: Path, tag: str, home: Path) -> None:
    """Build in a process of its own: BentoML imports the service from the folder it builds."""
    name, version = tag.split(":")
    command = [sys.executable, "-m", "bentoml", "build", str(context), "--version", version]
    done = subprocess.run(  # noqa: S603 - our own words
        command,
        cwd=context,
        env=os.environ | {"BENTOML_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        message = f"bento {name}:{version}: bentoml build exited with {done.returncode}: {last}"
        raise PackagingError(message)


def _lay_out(context: Path, problem: Problem, model: ServedModel) -> None:
    """Copy what is served into a folder: code, lock file, ONNX file and contract."""
    for name, path in _served_files().items():
        target = context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    bentofile = {
        "service": "bentos.service:Service",
        "name": problem.name,
        "description": f"{problem.title}, model version {model.version}",
        "labels": {"problem": problem.name, "model_version": model.version},
        "include": ["*"],
        "python": {"requirements_txt": "requirements.txt", "lock_packages": False},
        "docker": {"base_image": BASE_IMAGE, "dockerfile_template": Path(IMAGE_TEMPLATE).name},
    }
    (context / "bentofile.yaml").write_text(json.dumps(bentofile), encoding="utf-8")
    (context / "model.onnx").write_bytes(model.onnx)
    (context / "contract.json").write_text(model.contract.to_json(), encoding="utf-8")


def _served_files() -> dict[str, Path]:
    """What is served besides the model: a name in the bento for each file of the project."""
    root = Path(__file__).resolve().parents[2]
    paths = [path for pattern in SERVED_CODE for path in sorted(root.glob(pattern))]
    files = {str(path.relative_to(root)): path for path in paths}
    files["requirements.txt"] = root / SERVING_LOCK
    files[Path(IMAGE_TEMPLATE).name] = root / IMAGE_TEMPLATE
    return files


def _digest_content(model: ServedModel) -> str:
    """One digest of model, contract and served files: other code is another bento."""
    parts = {name: path.read_bytes() for name, path in _served_files().items()}
    parts |= {"model.onnx": model.onnx, "contract.json": model.contract.to_json().encode()}
    digests = [f"{digest_bytes(parts[name])}  {name}" for name in sorted(parts)]
    return digest_bytes("\n".join(digests).encode())


def served_version(problem: str) -> str | None:
    """Tag of the bento that services answer with."""
    if not get_settings().is_store_elsewhere:
        return read_pointer(problem)
    try:
        return str(json.loads(read_file(locate(pointer_in_store(problem))))["tag"])
    except NotFoundError:
        return None


@io(name="point at bento")
def point_at(problem: Problem, bento: Bento) -> None:
    """Make this the bento that services start with and take over."""
    if get_settings().is_store_elsewhere:
        pointer = json.dumps({"tag": bento.tag}).encode()
        write_file(locate(pointer_in_store(problem.name)), pointer)
    write_pointer(problem.name, bento.tag)
