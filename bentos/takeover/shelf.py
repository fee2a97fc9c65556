"""Where bentos lie, on this machine and in the store, and the pointer that says which one serves.

The pointer and a bento's folder appear in one step each, so that nobody ever reads half of them.
"""

import json
import os
import tarfile
import tempfile
import uuid
from io import BytesIO
from pathlib import Path

from bentos.settings import state_folder


def bentoml_home() -> Path:
    """Folder of the bentos of this machine."""
    return Path(os.environ.get("BENTOML_HOME", state_folder() / "bentoml")).absolute()


def place_of(tag: str) -> Path:
    """A bento's folder on this machine: BentoML's own layout."""
    return bentoml_home() / "bentos" / tag.replace(":", "/")


def pointer_file(problem: str) -> Path:
    """What says on this machine which bento serves a problem."""
    return bentoml_home() / "serving" / f"{problem}.json"


def archive_in_store(tag: str) -> str:
    """Where in the store a bento's archive lies."""
    return f"bentos/{tag.replace(':', '/')}.bento"


def pointer_in_store(problem: str) -> str:
    """What says to every machine which bento serves a problem."""
    return f"serving/{problem}.json"


def write_pointer(problem: str, tag: str) -> None:
    """Name the bento that serves on this machine."""
    pointer = pointer_file(problem)
    pointer.parent.mkdir(parents=True, exist_ok=True)
    draft = pointer.with_name(f".{pointer.name}.{uuid.uuid4().hex}.part")
    draft.write_text(json.dumps({"tag": tag, "path": str(place_of(tag))}), encoding="utf-8")
    draft.replace(pointer)


def read_pointer(problem: str) -> str | None:
    """Tag of the bento that serves on this machine, if there is one."""
    try:
        return str(json.loads(pointer_file(problem).read_text(encoding="utf-8"))["tag"])
    except FileNotFoundError:
        return None


def pack(folder: Path) -> bytes:
    """A bento's folder as one archive, such as `bentoml import` takes."""
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        archive.add(folder, arcname=".")
    return buffer.getvalue()


def unpack(archive: bytes, folder: Path) -> None:
    """Lay a bento out; a folder that is there stays as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
        draft = Path(scratch) / folder.name
        with tarfile.open(fileobj=BytesIO(archive)) as packed:
            for member in packed:
                _unpack_member(packed, member, draft)
        put_in_place(draft, folder)


def _unpack_member(packed: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Only files and folders below the folder: Python 3.11.2 has no filters that see to it."""
    target = folder / member.name
    if ".." in target.parts or not target.is_relative_to(folder):
        message = f"{member.name}: wanted a name below the bento's folder"
        raise tarfile.ReadError(message)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif member.isreg() and (content := packed.extractfile(member)) is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.read())
    else:
        message = f"{member.name}: wanted a file or a folder"
        raise tarfile.ReadError(message)


def put_in_place(draft: Path, folder: Path) -> None:
    """Give a complete folder its name; where another was faster, that one stays."""
    try:
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
