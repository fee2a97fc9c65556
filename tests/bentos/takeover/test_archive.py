"""A bento as one file, and what is not laid out of one."""

import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.takeover import archive, content, shelf
from bentos.takeover.archive import pack, unpack
from bentos.takeover.content import ContentError
from tests.bentos.takeover.shelving import make_bento

OUTSIDE = "/tmp/driftline-outside"  # noqa: S108 - it must not come to be


@pytest.fixture
def tag(machine: Path) -> str:
    """A bento's tag; its folder is `made`."""
    return make_bento("1", machine / "made")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """A bento's tag and archive."""
    folder = tmp_path_factory.mktemp("packed") / "made"
    tag = make_bento("1", folder)
    return tag, pack(folder)


def add(entry: tarfile.TarInfo, data: bytes = b"") -> bytes:
    """An archive of one more entry than nothing."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as made:
        entry.size = len(data)
        made.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def named(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    """An entry that points into this machine where it is a link."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry


def test_what_is_packed_is_laid_out_again(machine: Path, tag: str) -> None:
    sha256 = unpack(pack(machine / "made"), tag)

    assert sha256 == content.check_bento(machine / "made")
    assert content.check_bento(shelf.place_of(tag)) == sha256


def test_the_same_bento_is_the_same_archive_wherever_it_is_packed(machine: Path, tag: str) -> None:
    (machine / "made" / "src" / "__pycache__").mkdir()
    (machine / "made" / "src" / "__pycache__" / "code.pyc").write_bytes(b"left by Python")
    make_bento("1", machine / "again")

    assert pack(machine / "made") == pack(machine / "again")
    assert unpack(pack(machine / "again"), tag)


@given(data=st.data())
def test_any_damage_is_refused_before_anything_has_its_place(
    packed: tuple[str, bytes], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever digest the archive is said to have: one byte changed, or a part of it missing."""
    tag, whole = packed
    at = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.integers(1, 255))
    torn = whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
    if data.draw(st.booleans()):
        torn = whole[:at]
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("machine")
        patch.setenv("BENTOML_HOME", str(home))
        try:
            unpack(torn, tag)
        except ContentError:
            assert list(shelf.place_of(tag).parent.iterdir()) == []
        else:
            content.check_bento(shelf.place_of(tag), served=shelf.served_digits(tag))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "above": lambda: add(named("../../outside"), b"x"),
    "above, from within": lambda: add(named("src/../../../outside"), b"x"),
    "absolute": lambda: add(named(OUTSIDE), b"x"),
    "symbolic link": lambda: add(named("src/outside", tarfile.SYMTYPE)),
    "hard link": lambda: add(named("src/outside", tarfile.LNKTYPE)),
    "character device": lambda: add(named("outside", tarfile.CHRTYPE)),
    "block device": lambda: add(named("outside", tarfile.BLKTYPE)),
    "pipe": lambda: add(named("outside", tarfile.FIFOTYPE)),
    "bytecode": lambda: add(named("src/__pycache__/outside.cpython-311.pyc"), b"x"),
    "bytecode alone": lambda: add(named("src/outside.pyc"), b"x"),
    "a signature": lambda: add(named("SHA256SUMS.sig"), b"x"),
    "not xz": lambda: b"outside" * 1000,
    "nothing": lambda: b"",
    "gzip": lambda: b"\x1f\x8b\x08" + bytes(1000),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_writes_nothing_anywhere(machine: Path, kind: str) -> None:
    tag = make_bento("1", machine / "made")
    before = sorted(machine.rglob("*"))

    with pytest.raises(ContentError):
        unpack(HOSTILE[kind](), tag)

    left = [path for path in sorted(machine.rglob("*")) if path not in before]
    assert left == [machine / "bentoml", machine / "bentoml" / "bentos", shelf.place_of(tag).parent]
    assert not Path(OUTSIDE).exists()


def test_a_small_archive_of_a_large_file_is_refused_at_a_stated_bound(tag: str) -> None:
    """400 MiB of zeros in 60 KiB."""
    entry = named("src/large")
    entry.size = 400 * 1024 * 1024
    coder = lzma.LZMACompressor(preset=0)
    parts = [coder.compress(entry.tobuf())]
    parts += [coder.compress(bytes(1024 * 1024)) for _ in range(400)]
    bomb = b"".join([*parts, coder.flush()])

    with pytest.raises(ContentError, match="unpacks to more than 256 MiB"):
        unpack(bomb, tag)

    assert len(bomb) < 128 * 1024
    assert list(shelf.place_of(tag).parent.iterdir()) == []


def test_a_file_with_holes_is_refused(tag: str) -> None:
    """Its size is a number in the archive, which holds none of its bytes."""
    entry = named("src/large")
    entry.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": f"{1 << 40},0",
        "GNU.sparse.realsize": str(1 << 40),
    }

    with pytest.raises(ContentError, match="wanted a file or a folder"):
        unpack(add(entry), tag)


def test_many_files_are_refused(tag: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as made:
        for number in range(archive.MOST_FILES + 1):
            made.addfile(tarfile.TarInfo(f"src/{number}"))

    with pytest.raises(ContentError, match="more than 2000 files"):
        unpack(buffer.getvalue(), tag)


def test_a_bento_too_large_to_be_laid_out_is_not_packed(
    machine: Path, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del tag
    monkeypatch.setattr(archive, "MOST_BYTES", 4 * 1024 * 1024)

    with pytest.raises(ContentError, match="wanted less than 4"):
        pack(machine / "made")
