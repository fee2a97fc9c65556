"""BentoML: builds a bento from a model's ONNX file, its contract and the serving code alone."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bentos.takeover.archive import check_packed, pack, unpack
from bentos.takeover.content import (
    TAG_DIGITS,
    ContentError,
    check_bento,
    digest_served,
    write_sums,
)
from bentos.takeover.shelf import (
    Pointer,
    archive_in_store,
    format_pointer,
    parse_pointer,
    place_of,
    pointer_in_store,
    put_in_place,
    read_pointer,
    write_pointer,
)
from bentos.takeover.trust import sign
from driftline.contract import Contract, parse_contract
from driftline.digests import digest_bytes
from driftline.errors import NotFoundError, PackagingError
from driftline.journal import Promoted
from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.data.files import locate, read_file, write_file
from tasks.decorators import io
from tasks.progress import tell
from tasks.settings import get_settings, get_signing_key
from tasks.shipping.aside import DRAFT, LONG_AGO, alone_in, set_time
from tasks.shipping.signatures import bears_signatures, is_signing, share_signature, sign_bento

SERVED_CODE = (
    "bentos/**/*.py",
    "bentos/http/page.css",
    "bentos/http/page.js",
    "bentos/log/migrations/script.py.mako",
    "bentos/log/migrations/sqlite.sql",
    "driftline/__init__.py",
    "driftline/computed.py",
    "driftline/contract.py",
    "driftline/contributions.py",
    "driftline/date_parts.py",
    "driftline/dates.py",
    "driftline/deciding.py",
    "driftline/fields.py",
    "driftline/filling.py",
    "driftline/form.py",
    "driftline/formulas.py",
    "driftline/refusals.py",
    "driftline/numbers.py",
    "driftline/plain_numbers.py",
    "driftline/spelling.py",
    "driftline/timelines.py",
    "driftline/telling.py",
    "driftline/telling_numbers.py",
)
SERVING_LOCK = "bentos/requirements.lock"
BASE_IMAGE = "python:3.11-slim"  # a name; the build is told which one to take
IMAGE_TEMPLATE = "deployments/image/Dockerfile.j2"
# The build loads the service: from its own folder, whose files nobody has listed or signed yet.
NOT_WHILE_BUILDING = frozenset(
    {"DRIFTLINE_MODEL_DIR", "DRIFTLINE_SIGNING_KEY", "DRIFTLINE_EVIDENCE_PUBLIC_KEY"}
)


@dataclass(frozen=True)
class Bento:
    """A built bento: its tag, the folder that holds it, and its digest."""

    tag: str
    path: str
    sha256: str


@io(name="build bento")
def build_bento(problem: Problem, model: ServedModel) -> Bento:
    """The bento of this model version; built once, and anew where what is there is damaged.

    Who signs has built it: of what another machine left in the store only the code is known.
    """
    served = digest_content(problem, model.contract, model.onnx)
    tag = f"{problem.name}:v{model.version}-{served[:TAG_DIGITS]}"
    folder = place_of(tag)
    sha256 = _find_whole(folder, served)
    if sha256 is None and get_settings().is_store_elsewhere and not is_signing():
        sha256 = _fetch(tag)
    if sha256 is None:
        tell(f"building bento {tag}")
        sha256 = _build(problem, model, tag)
    sign_bento(folder, sha256)
    return Bento(tag=tag, path=str(folder), sha256=sha256)


def _find_whole(folder: Path, served: str) -> str | None:
    """Digest of a bento on this machine, if it is there and every file is what it was.

    Where it is to be signed, who built it is known only by a signature of the key here.
    """
    if not folder.is_dir():
        return None
    name = f"{folder.parent.name}:{folder.name}"
    try:
        sha256 = check_bento(folder, served=served)
    except (ContentError, OSError) as error:
        tell(f"bento {name} is damaged, and is made anew: {error}")
        return None
    if is_signing() and not bears_signatures(folder, sha256):
        tell(f"bento {name} does not bear the signature of the key here, and is made anew")
        return None
    return sha256


def _fetch(tag: str) -> str | None:
    """Lay out what another machine has built, where it is in the store and whole."""
    try:
        archive = read_file(locate(archive_in_store(tag)))
        sha256 = unpack(archive, tag)
    except NotFoundError:
        return None
    except ContentError as error:
        tell(f"bento {tag} is damaged in the store, and is made anew: {error}")
        return None
    tell(f"fetched bento {tag}")
    return sha256


def _build(problem: Problem, model: ServedModel, tag: str) -> str:
    """Build aside, and put the bento in its place when it is complete; returns its digest."""
    folder = place_of(tag)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        alone_in(folder.parent),
        tempfile.TemporaryDirectory() as context,
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=DRAFT) as home,
    ):
        _lay_out(Path(context), served_content(problem, model.contract, model.onnx))
        _run_build(Path(context), tag, Path(home))
        built = Path(home, "bentos", problem.name, folder.name)
        set_time(built / "bento.yaml", model.contract.promoted_at or LONG_AGO)
        sha256 = write_sums(built)
        put_in_place(built, folder)
    return sha256


def _run_build(context: Path, tag: str, home: Path) -> None:
    """Build in a process of its own: BentoML imports the service from the folder it builds."""
    name, version = tag.split(":")
    command = [sys.executable, "-m", "bentoml", "build", str(context), "--version", version]
    own = {name: value for name, value in os.environ.items() if name not in NOT_WHILE_BUILDING}
    done = subprocess.run(  # noqa: S603 - our own words
        command,
        cwd=context,
        env=own | {"BENTOML_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1].strip()
        message = f"bento {name}:{version}: bentoml build exited with {done.returncode}: {last}"
        raise PackagingError(message)


def _lay_out(context: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        target = context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def served_content(problem: Problem, contract: Contract, onnx: bytes) -> dict[str, bytes]:
    """What is served, by name: code, lock file, ONNX file, contract, and what BentoML is told."""
    root = Path(__file__).resolve().parents[2]
    paths = [path for pattern in SERVED_CODE for path in sorted(root.glob(pattern))]
    files = {str(path.relative_to(root)): path.read_bytes() for path in paths}
    files["requirements.txt"] = (root / SERVING_LOCK).read_bytes()
    files[Path(IMAGE_TEMPLATE).name] = (root / IMAGE_TEMPLATE).read_bytes()
    bentofile = {
        "service": "bentos.service:Service",
        "name": problem.name,
        "description": f"{problem.title}, model version {contract.model_version}",
        "labels": {"problem": problem.name, "model_version": contract.model_version},
        "include": ["*"],
        "python": {"requirements_txt": "requirements.txt", "lock_packages": False},
        "docker": {"base_image": BASE_IMAGE, "dockerfile_template": Path(IMAGE_TEMPLATE).name},
    }
    return files | {
        "bentofile.yaml": json.dumps(bentofile).encode(),
        "contract.json": contract.to_json().encode(),
        "model.onnx": onnx,
    }


def digest_content(problem: Problem, contract: Contract, onnx: bytes) -> str:
    """One digest of all that is served: other code is another bento."""
    files = served_content(problem, contract, onnx)
    return digest_served({name: digest_bytes(content) for name, content in files.items()})


def digest_model(problem: Problem, contract: Contract, onnx: bytes) -> Promoted:
    """What the journal keeps of a version that an alias is given to."""
    return Promoted(
        onnx_sha256=digest_bytes(onnx),
        contract_sha256=digest_bytes(contract.to_json().encode()),
        served_sha256=digest_content(problem, contract, onnx),
    )


def served_tag(problem: str) -> str | None:
    """Tag of the bento that services answer with."""
    if not get_settings().is_store_elsewhere:
        pointer = _read_pointer(lambda: read_pointer(problem))
    else:
        address = locate(pointer_in_store(problem))
        pointer = _read_pointer(lambda: parse_pointer(read_file(address), problem))
    return None if pointer is None else pointer.tag


def served_snapshot(problem: str) -> str | None:
    """Digest of the snapshot that the model of services has learnt from; None where none is here.

    Read from the bento in this machine's folder: nothing is asked over a network.
    """
    pointer = _read_pointer(lambda: read_pointer(problem))
    if pointer is None:
        return None
    try:
        text = (place_of(pointer.tag) / "src" / "contract.json").read_text("utf-8")
        return parse_contract(text).snapshot
    except (OSError, ValueError):
        return None


def _read_pointer(read: Callable[[], Pointer | None]) -> Pointer | None:
    """A pointer that cannot be used names nothing: the next one that is written replaces it."""
    try:
        return read()
    except (NotFoundError, ContentError):
        return None


@io(name="point at bento")
def point_at(problem: Problem, bento: Bento) -> None:
    """Make this the bento that services start with and take over."""
    pointer = pointer_to(bento)
    if get_settings().is_store_elsewhere:
        write_file(locate(pointer_in_store(problem.name)), format_pointer(pointer))
    write_pointer(problem.name, pointer)


def pointer_to(bento: Bento) -> Pointer:
    """What names a bento, signed where there is a key, and in the store where that is elsewhere."""
    pointer = Pointer(bento.tag, bento.sha256, signature=sign(bento.sha256, get_signing_key()))
    if not get_settings().is_store_elsewhere:
        return pointer
    return replace(pointer, archive_sha256=_share(bento))


@io(name="share bento")
def share(bento: Bento) -> None:
    """Have a bento with its signature in the store, where that is elsewhere."""
    if get_settings().is_store_elsewhere:
        _share(bento)


def _share(bento: Bento) -> str:
    """Have the bento's archive in the store, anew where that one is damaged; its digest."""
    address = locate(archive_in_store(bento.tag))
    try:
        archive = read_file(address)
        check_packed(archive, bento.sha256)
    except (NotFoundError, ContentError):
        try:
            archive = pack(Path(bento.path))
        except ContentError as error:
            raise PackagingError(f"bento {bento.tag}: {error}") from None
        write_file(address, archive)
    share_signature(Path(bento.path), bento.tag)
    return digest_bytes(archive)
