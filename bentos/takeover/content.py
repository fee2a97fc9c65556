"""What a bento holds, by digest.

`SHA256SUMS` at a bento's root lists each of its files as `sha256sum` does, in order of their names:
the same files give the same bytes, whose own SHA-256 is the bento's digest. `SHA256SUMS.sig` and
`model.sig` are signatures of it (`bentos.takeover.trust`). Bytecode that Python leaves beside the
code is no content.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

SUMS = "SHA256SUMS"
SIGNATURE, BUNDLE = "SHA256SUMS.sig", "model.sig"
SERVED = "src/"  # BentoML's own folder for what is served
BYTECODE = "__pycache__"
TAG_DIGITS = 12  # of the served files' digest, which end a bento's tag


class ContentError(ValueError):
    """Files that are not those of their digest, or a digest that is not signed as it has to be."""


def digest(content: bytes) -> str:
    """SHA-256 as hex."""
    return hashlib.sha256(content).hexdigest()


def format_sums(digests: Mapping[str, str]) -> bytes:
    """The text of `SHA256SUMS` for the digests of files by their names."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def digest_served(digests: Mapping[str, str]) -> str:
    """One digest of all served files; the tag of their bento ends with its beginning."""
    return digest(format_sums(digests))


def below(digests: Mapping[str, str], folder: str) -> dict[str, str]:
    """The digests of the files in a folder, by their names in it; `folder` ends with a slash."""
    named = digests.items()
    return {name.removeprefix(folder): sha for name, sha in named if name.startswith(folder)}


def write_sums(folder: Path) -> str:
    """List a complete bento's files at its root; returns the bento's digest."""
    sums = format_sums({name: digest((folder / name).read_bytes()) for name in list_files(folder)})
    (folder / SUMS).write_bytes(sums)
    return digest(sums)


def check_bento(folder: Path, *, sha256: str | None = None, served: str = "") -> str:
    """Verify every file of a bento, and that it has no other; returns its digest.

    With `sha256` that has to be its digest, and with `served` the beginning of its served files'.
    """
    sums = _read_sums(folder)
    found = digest(sums)
    if sha256 is not None and found != sha256:
        message = f"{SUMS}: got SHA-256 {found[:16]}..., wanted {sha256[:16]}..."
        raise ContentError(message)
    digests = parse_sums(sums)
    check_files(folder, digests)
    others = sorted(set(list_files(folder)) - set(digests))
    if others:
        message = f"{others[0]}: not among the files that {SUMS} lists"
        raise ContentError(message)
    own = digest_served(below(digests, SERVED))
    if not own.startswith(served):
        message = f"served files: got SHA-256 {own[:16]}..., wanted {served}..."
        raise ContentError(message)
    return found


def check_files(folder: Path, digests: Mapping[str, str]) -> None:
    """Refuse a folder that lacks one of these files, or has another one of its name."""
    for name, wanted in digests.items():
        try:
            found = digest((folder / name).read_bytes())
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            message = f"{name}: is missing"
            raise ContentError(message) from None
        if found != wanted:
            message = f"{name}: got SHA-256 {found[:16]}..., wanted {wanted[:16]}... ({SUMS})"
            raise ContentError(message)


def parse_sums(sums: bytes) -> dict[str, str]:
    """Digests by name of a `SHA256SUMS`; any other spelling than `format_sums` is refused."""
    try:
        pairs = [line.split("  ", maxsplit=1) for line in sums.decode().splitlines()]
        digests = {name: sha256 for sha256, name in pairs}
    except ValueError:
        digests = {}
    if not digests or format_sums(digests) != sums:
        message = f"{SUMS}: cannot be read; wanted lines of a SHA-256 and a name"
        raise ContentError(message)
    return digests


def list_files(folder: Path) -> Iterator[str]:
    """Names of the files that are a bento's content, below its folder."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != BYTECODE]
        for name in names:
            relative = Path(where, name).relative_to(folder).as_posix()
            if relative not in {SUMS, SIGNATURE, BUNDLE}:
                yield relative


def _read_sums(folder: Path) -> bytes:
    try:
        return (folder / SUMS).read_bytes()
    except FileNotFoundError:
        message = f"{SUMS}: is missing; the bento is not whole, or of an earlier version"
        raise ContentError(message) from None
