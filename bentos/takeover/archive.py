"""A bento as one file of the store, and how it is laid out again.

Nothing of an archive is believed: its digest is verified before it is opened, its size and its
names while it is laid out aside, and every file's digest before the bento gets its place.
"""

import lzma
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath

from bentos.takeover.content import (
    BUNDLE,
    BYTECODE,
    SIGNATURE,
    SUMS,
    ContentError,
    check_bento,
    digest,
    list_files,
)
from bentos.takeover.shelf import Pointer, place_of, put_in_place, served_digits

MOST_ARCHIVE_BYTES = 128 * 1024 * 1024
MOST_BYTES = 256 * 1024 * 1024  # of all files together
MOST_FILES = 2000
_DECODER_BYTES = 64 * 1024 * 1024
_COPY_BYTES = 1024 * 1024
_HEADER_BYTES = 4 * 1024 * 1024  # at most, of so many files


def pack(folder: Path) -> bytes:
    """A bento's files as one archive, such as `bentoml import` takes; the same ones alike.

    More bytes than `unpack` would lay out are a `ContentError`.
    """
    buffer = BytesIO()
    size = sum((folder / name).stat().st_size for name in list_files(folder))
    if size > MOST_BYTES - _HEADER_BYTES:
        message = f"the bento has {size >> 20} MiB; wanted less than {MOST_BYTES >> 20}"
        raise ContentError(message)
    with tarfile.open(fileobj=buffer, mode="w:xz", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted([*list_files(folder), SUMS]):
            content = (folder / name).read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))
    return buffer.getvalue()


def unpack(archive: bytes, tag: str, *, sha256: str | None = None) -> str:
    """Lay a bento out whole or not at all, in place of a damaged one; returns its digest.

    Its served files have to be those that the tag names, and `sha256` its digest where that is
    known. Anything else is a `ContentError`.
    """
    folder = place_of(tag)
    with _laid_out(archive, folder.parent) as draft:
        found = check_bento(draft, sha256=sha256, served=served_digits(tag))
        put_in_place(draft, folder)
    return found


def check_packed(archive: bytes, sha256: str) -> None:
    """Refuse an archive that is not one of the bento of that digest."""
    with tempfile.TemporaryDirectory() as scratch, _laid_out(archive, Path(scratch)) as draft:
        check_bento(draft, sha256=sha256)


@contextmanager
def _laid_out(archive: bytes, beside: Path) -> Iterator[Path]:
    """A folder with what the archive holds, for as long as it is needed."""
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=beside, prefix=".") as scratch:
        draft = Path(scratch, "bento")
        draft.mkdir()
        try:
            _lay_out(archive, draft)
        except (tarfile.TarError, lzma.LZMAError, EOFError, UnicodeError) as error:
            message = f"the archive is damaged ({type(error).__name__})"
            raise ContentError(message) from None
        yield draft


def check_archive(archive: bytes, pointer: Pointer) -> None:
    """Refuse an archive that is not the one that the pointer names."""
    found = digest(archive)
    if found != pointer.archive_sha256:
        wanted = pointer.archive_sha256[:16] or "one"
        message = f"archive: got SHA-256 {found[:16]}..., wanted {wanted}... (the pointer)"
        raise ContentError(message)


def _lay_out(archive: bytes, folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder.parent) as plain:
        for piece in _decompress(archive):
            plain.write(piece)
            if plain.tell() > MOST_BYTES:
                message = f"the archive unpacks to more than {MOST_BYTES >> 20} MiB"
                raise ContentError(message)
        plain.seek(0)
        with tarfile.open(fileobj=plain, mode="r:") as packed:
            for number, member in enumerate(packed, start=1):
                if number > MOST_FILES:
                    message = f"the archive has more than {MOST_FILES} files"
                    raise ContentError(message)
                _lay_out_member(packed, member, folder)


def _decompress(archive: bytes) -> Iterator[bytes]:
    """The archive's plain bytes in pieces, for a decoder that may take only so much memory."""
    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DECODER_BYTES)
    piece = decoder.decompress(archive, max_length=_COPY_BYTES)
    while piece:
        yield piece
        piece = b"" if decoder.eof else decoder.decompress(b"", max_length=_COPY_BYTES)
    if not decoder.eof or decoder.unused_data:
        message = "the archive does not end where it should"
        raise ContentError(message)


def _lay_out_member(packed: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Only plain files and folders below the folder, none of them bytecode, each of them once."""
    name = PurePosixPath(member.name)
    parts = set(name.parts)
    if name.is_absolute() or ".." in parts or "\0" in member.name:
        message = f"{_shown(member)}: wanted a name below the bento's folder"
        raise ContentError(message)
    if parts & {BYTECODE, SIGNATURE, BUNDLE} or name.suffix == ".pyc":
        message = f"{_shown(member)}: no file of a bento"
        raise ContentError(message)
    target = folder / name
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = packed.extractfile(member) if _is_plain(member) else None
    if content is None or target.exists():
        message = f"{_shown(member)}: wanted a file or a folder, once"
        raise ContentError(message)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _is_plain(member: tarfile.TarInfo) -> bool:
    """No link, no device, and no file with holes, which could be larger than the archive."""
    return member.isreg() and not member.issparse()


def _shown(member: tarfile.TarInfo) -> str:
    return ascii(member.name)[:80]
