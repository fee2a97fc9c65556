"""Bringing the champion's bento from a store that nobody has to believe."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bentos.takeover import archive, content, courier, shelf, trust
from bentos.takeover.attempts import read_trouble
from bentos.takeover.content import ContentError
from bentos.takeover.courier import Courier
from bentos.takeover.shelf import Pointer
from bentos.takeover.trust import Trust
from tests.bentos.takeover.shelving import Clock, edit_contract, keep, make_bento, share

KEY = "k" * 32
PAUSE = 3600.0  # longer than any between two attempts


def test_the_courier_brings_what_the_store_names_once(machine: Path) -> None:
    store = str(machine / "store")
    assert courier.fetch(store, "tiny") is None
    pointer = share(machine / "store", "1")

    assert courier.fetch(store, "tiny") == pointer
    (machine / "store" / shelf.archive_in_store(pointer.tag)).unlink()
    assert courier.fetch(store, "tiny") == pointer

    assert shelf.read_pointer("tiny") == pointer
    assert content.check_bento(shelf.place_of(pointer.tag)) == pointer.sha256
    assert list(shelf.place_of(pointer.tag).parent.iterdir()) == [shelf.place_of(pointer.tag)]


def test_a_bento_that_is_damaged_on_this_machine_is_brought_anew(machine: Path) -> None:
    pointer = share(machine / "store", "1")
    courier.fetch(str(machine / "store"), "tiny")
    edit_contract(shelf.place_of(pointer.tag), threshold=0.999999)

    courier.fetch(str(machine / "store"), "tiny")

    assert content.check_bento(shelf.place_of(pointer.tag)) == pointer.sha256
    assert list(shelf.place_of(pointer.tag).parent.iterdir()) == [shelf.place_of(pointer.tag)]


def torn(_pointer: Pointer, packed: bytes) -> tuple[Pointer | None, bytes]:
    """Half of an archive."""
    return None, packed[: len(packed) // 2]


def flipped(_pointer: Pointer, packed: bytes) -> tuple[Pointer | None, bytes]:
    """One bit."""
    return None, packed[:100] + bytes([packed[100] ^ 1]) + packed[101:]


def longer(_pointer: Pointer, packed: bytes) -> tuple[Pointer | None, bytes]:
    """Something behind the archive, which most programs would not see."""
    return None, packed + b"more"


def other_code(pointer: Pointer, _packed: bytes) -> tuple[Pointer | None, bytes]:
    """Other code under the same tag, by somebody who can write the pointer too."""
    folder = shelf.bentoml_home() / "forged"
    make_bento("2", folder)
    (folder / "src" / "code.py").write_text("import os\n")
    content.write_sums(folder)
    packed = archive.pack(folder)
    sha256 = content.check_bento(folder)
    return replace(pointer, sha256=sha256, archive_sha256=content.digest(packed)), packed


def no_digest(pointer: Pointer, packed: bytes) -> tuple[Pointer | None, bytes]:
    """A pointer that names no archive."""
    return replace(pointer, archive_sha256=""), packed


def told(health: str, why: str) -> None:
    """Nobody listens."""


HARMS = {
    torn: "archive: got SHA-256",
    flipped: "archive: got SHA-256",
    longer: "archive: got SHA-256",
    other_code: "served files: got SHA-256",
    no_digest: "archive: got SHA-256",
}


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_what_is_not_what_the_pointer_says_leaves_no_bento_and_the_old_one_serving(
    machine: Path, harm: Callable[[Pointer, bytes], tuple[Pointer | None, bytes]]
) -> None:
    clock = Clock()
    one = Courier(str(machine / "store"), "tiny", clock=clock, tell=told)
    first = share(machine / "store", "1")
    one.look()
    second = share(machine / "store", "2")
    whole = (machine / "store" / shelf.archive_in_store(second.tag)).read_bytes()
    forged, packed = harm(second, whole)
    keep(machine / "store", forged or second, packed)

    one.look()

    trouble = read_trouble("tiny")
    assert trouble is not None
    assert (trouble.version, trouble.attempts) == ("2", 1)
    assert HARMS[harm] in trouble.why
    assert shelf.read_pointer("tiny") == first
    assert not shelf.place_of(second.tag).exists()

    keep(machine / "store", second, whole)
    clock.seconds += PAUSE
    one.look()
    assert shelf.read_pointer("tiny") == second
    assert read_trouble("tiny") is None


def test_an_archive_that_is_not_there_yet_is_waited_for(machine: Path) -> None:
    clock = Clock()
    one = Courier(str(machine / "store"), "tiny", clock=clock, tell=told)
    pointer = share(machine / "store", "1")
    place = machine / "store" / shelf.archive_in_store(pointer.tag)
    place.rename(machine / "late")
    one.look()
    trouble = read_trouble("tiny")
    (machine / "late").rename(place)
    clock.seconds += PAUSE
    one.look()

    assert trouble is not None
    assert trouble.why == "the store has no archive of the bento that its pointer names"
    assert shelf.read_pointer("tiny") == pointer


@pytest.mark.parametrize(
    "tag",
    [
        "/tmp/driftline-outside:v1-0123456789ab",  # noqa: S108 - it must not come to be
        "tiny:/tmp/driftline-outside",
        "../tiny:v1-0123456789ab",
        "tiny:../../v1-0123456789ab",
        "tiny:v1-0123456789ab/..",
        "tiny:v1",
        "tiny",
        "",
        "tiny:v1-0123456789ab\n",
        "other:v1-0123456789ab",
    ],
)
def test_a_tag_that_is_none_of_this_problem_is_no_path(machine: Path, tag: str) -> None:
    pointer = share(machine / "store", "1")
    packed = (machine / "store" / shelf.archive_in_store(pointer.tag)).read_bytes()
    forged = json.loads(shelf.format_pointer(pointer)) | {"tag": tag}
    (machine / "store" / "serving" / "tiny.json").write_text(json.dumps(forged))
    for place in (machine / "store" / "bentos").iterdir():
        (place.parent / "outside.bento").write_bytes(packed)

    with pytest.raises(ContentError, match=r"tag: wanted|another problem"):
        courier.fetch(str(machine / "store"), "tiny")

    assert not (machine / "bentoml").exists()
    assert not Path("/tmp/driftline-outside").exists()  # noqa: S108


@pytest.mark.parametrize("signed_with", ["", "o" * 32])
def test_with_a_key_an_unsigned_bento_is_not_even_fetched(
    machine: Path, monkeypatch: pytest.MonkeyPatch, signed_with: str
) -> None:
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    pointer = share(machine / "store", "1", key=signed_with)
    (machine / "store" / shelf.archive_in_store(pointer.tag)).unlink()

    with pytest.raises(ContentError, match="signed"):
        courier.fetch(str(machine / "store"), "tiny")


def test_a_signed_bento_comes_with_its_signature(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    pointer = share(machine / "store", "1", key=KEY)

    courier.fetch(str(machine / "store"), "tiny")

    trust.check_model_folder(shelf.place_of(pointer.tag) / "src", Trust(KEY))


def test_a_store_that_is_away_is_told_and_asked_again(machine: Path) -> None:
    (machine / "store").write_text("not a folder")
    one = Courier(str(machine / "store"), "tiny", tell=told)
    one.look()
    trouble = read_trouble("tiny")
    (machine / "store").unlink()
    pointer = share(machine / "store", "1")
    one.look()

    assert trouble is not None
    assert trouble.why == "no word from the store (NotADirectoryError)"
    assert shelf.read_pointer("tiny") == pointer
    assert read_trouble("tiny") is None


def test_what_one_courier_could_not_bring_is_not_told_of_the_next(machine: Path) -> None:
    share(machine / "store", "1")
    for place in (machine / "store" / "bentos" / "tiny").iterdir():
        place.write_bytes(b"torn")
    rounds = iter([False, True])
    courier.run(str(machine / "store"), "tiny", is_over=lambda _seconds: next(rounds))
    assert read_trouble("tiny") is not None

    courier.run(str(machine / "store"), "tiny", is_over=lambda _seconds: True)

    assert read_trouble("tiny") is None
