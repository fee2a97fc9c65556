"""Where bentos lie, on this machine and in the store, and the pointer that says which one serves.

The pointer and a bento's folder appear in one step each, so that nobody ever reads half of them.
A pointer names the digest of the whole bento, and of its archive.
"""

import contextlib
import json
import os
import re
import tempfile
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from bentos.settings import state_folder
from bentos.takeover.content import TAG_DIGITS, ContentError, check_bento
from bentos.takeover.trust import Trust, read_bundle

PUT_ATTEMPTS = 10
_TAG = re.compile(rf"([a-z0-9_]{{1,64}}):v[0-9]{{1,18}}-([0-9a-f]{{{TAG_DIGITS}}})")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Pointer:
    """Which bento serves, what it holds, and who says so."""

    tag: str
    sha256: str  # of the whole bento, see `bentos.takeover.content`
    archive_sha256: str = ""  # of its archive in the store
    signature: str = ""  # of `sha256`

    @property
    def problem(self) -> str:
        """Whose bento it is."""
        return self.tag.partition(":")[0]

    @property
    def version(self) -> str:
        """The model's version."""
        return self.tag.partition(":")[2].partition("-")[0].removeprefix("v")


def bentoml_home() -> Path:
    """Folder of the bentos of this machine."""
    return Path(os.environ.get("BENTOML_HOME", state_folder() / "bentoml")).absolute()


def served_digits(tag: str) -> str:
    """The beginning of the served files' digest, which ends a tag.

    `ContentError` for what is no tag of ours: it would become a part of paths.
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        message = "tag: wanted <problem>:v<version>-<12 digits of its content's SHA-256>"
        raise ContentError(message)
    return found[2]


def place_of(tag: str) -> Path:
    """A bento's folder on this machine: BentoML's own layout."""
    served_digits(tag)
    return bentoml_home() / "bentos" / tag.replace(":", "/")


def pointer_file(problem: str) -> Path:
    """What says on this machine which bento serves a problem."""
    return bentoml_home() / "serving" / f"{problem}.json"


def archive_in_store(tag: str) -> str:
    """Where in the store a bento's archive lies."""
    served_digits(tag)
    return f"bentos/{tag.replace(':', '/')}.bento"


def bundle_in_store(tag: str) -> str:
    """Where in the store the signature of a bento lies that the owner of a key made."""
    served_digits(tag)
    return f"bentos/{tag.replace(':', '/')}.sig"


def pointer_in_store(problem: str) -> str:
    """What says to every machine which bento serves a problem."""
    return f"serving/{problem}.json"


def format_pointer(pointer: Pointer) -> bytes:
    """A pointer as JSON."""
    return json.dumps(asdict(pointer)).encode()


def parse_pointer(content: bytes, problem: str) -> Pointer:
    """Read what `format_pointer` wrote; `ContentError` where it names no bento of the problem."""
    try:
        raw = json.loads(content)
        pointer = Pointer(*(str(raw.get(name, "")) for name in Pointer.__dataclass_fields__))
    except (ValueError, AttributeError, RecursionError):
        message = "the pointer cannot be read; wanted JSON that names a bento"
        raise ContentError(message) from None
    served_digits(pointer.tag)
    if pointer.problem != problem:
        message = f"the pointer names a bento of another problem than {problem}"
        raise ContentError(message)
    if not _SHA256.fullmatch(pointer.sha256):
        message = "the pointer names no SHA-256 of its bento; package the champion anew"
        raise ContentError(message)
    return pointer


def write_pointer(problem: str, pointer: Pointer) -> None:
    """Name the bento that serves on this machine."""
    content = json.loads(format_pointer(pointer)) | {"path": str(place_of(pointer.tag))}
    write_whole(pointer_file(problem), json.dumps(content).encode())


def read_pointer(problem: str) -> Pointer | None:
    """The pointer on this machine, if there is one; `ContentError` where it cannot be used."""
    try:
        return parse_pointer(pointer_file(problem).read_bytes(), problem)
    except FileNotFoundError:
        return None


def check_shelved(pointer: Pointer, trust: Trust) -> None:
    """Verify the bento on this machine that a pointer names, and who signed it; `ContentError`."""
    folder, served = place_of(pointer.tag), served_digits(pointer.tag)
    trust.check(pointer.sha256, signature=pointer.signature, bundle=read_bundle(folder))
    check_bento(folder, sha256=pointer.sha256, served=served)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step, or leave nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def put_in_place(draft: Path, folder: Path) -> None:
    """Give a complete folder its name; another one of that name makes way."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
        for attempt in range(PUT_ATTEMPTS):  # another process may put its own there in between
            try:
                draft.rename(folder)
            except OSError:
                if not folder.is_dir() or attempt == PUT_ATTEMPTS - 1:
                    raise
                with contextlib.suppress(FileNotFoundError):
                    folder.rename(Path(scratch, str(attempt)))
            else:
                return
