"""BentoML: builds a bento from a model's ONNX file, its contract and the serving code alone."""

import json
import shutil
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from driftline.digests import digest_bytes
from driftline.errors import PackagingError
from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.decorators import io
from tasks.progress import tell
from tasks.settings import get_settings

SERVED_CODE = (
    "bentos/**/*.py",
    "bentos/migrations/script.py.mako",
    "bentos/migrations/sqlite.sql",
    "driftline/__init__.py",
    "driftline/contract.py",
)
SERVING_LOCK = "bentos/requirements.lock"
BASE_IMAGE = "python:3.11-slim"  # a name; the build is told which one to take
IMAGE_TEMPLATE = "deployments/image/Dockerfile.j2"


@dataclass(frozen=True)
class Bento:
    """A built bento: its tag and the folder that holds it."""

    tag: str
    path: str


@io(name="build bento")
def build_bento(problem: Problem, model: ServedModel) -> Bento:
    """The bento of this model version; built once, since its version names its content."""
    import bentoml

    version = f"v{model.version}-{_digest_content(model)[:12]}"
    tag = f"{problem.name}:{version}"
    try:
        found = bentoml.get(tag)
    except bentoml.exceptions.NotFound:
        tell(f"building bento {tag}")
    else:
        return Bento(tag=tag, path=str(found.path))
    with tempfile.TemporaryDirectory() as folder:
        _lay_out(Path(folder), problem, model)
        _run_build(Path(folder), tag)
    built = bentoml.get(tag)
    return Bento(tag=str(built.tag), path=str(built.path))


def _run_build(context: Path, tag: str) -> None:
    """Build in a process of its own: BentoML imports the service from the folder it builds."""
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "build",
        str(context),
        "--version",
        tag.split(":")[1],
    ]
    done = subprocess.run(command, cwd=context, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        message = f"bento {tag}: bentoml build exited with {done.returncode}: {last}"
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
    root = Path(__file__).resolve().parent.parent
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
    """Tag of the bento that a service of this state folder answers with."""
    pointer = get_settings().serving_dir / f"{problem}.json"
    try:
        return str(json.loads(pointer.read_text(encoding="utf-8"))["tag"])
    except FileNotFoundError:
        return None


@io(name="point at bento")
def point_at(problem: Problem, bento: Bento) -> None:
    """Make this the bento that `make serve` starts, in one step."""
    folder = get_settings().serving_dir
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{problem.name}.{uuid.uuid4().hex}.part"
    draft.write_text(json.dumps({"tag": bento.tag, "path": bento.path}), encoding="utf-8")
    draft.replace(folder / f"{problem.name}.json")
