"""A running service and the pointer that it follows."""

import json
import shutil
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from bentos.predictor import Predictor
from bentos.takeover import courier, shelf
from bentos.takeover.follower import Follower
from tests.bentos.models import write_tiny_model


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any bento, whose store is a folder of another one."""
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    monkeypatch.setenv("DRIFTLINE_STORE_URL", str(tmp_path / "store"))
    return tmp_path


def make_bento(version: str, folder: Path) -> Path:
    """A bento's folder with a model of that version."""
    write_tiny_model(folder / "src")
    contract = folder / "src" / "contract.json"
    content = json.loads(contract.read_text()) | {"model_version": version}
    contract.write_text(json.dumps(content))
    return folder


def shelve(version: str) -> str:
    """Put a bento on this machine's shelf, and point at it."""
    tag = f"tiny:v{version}-abc"
    make_bento(version, shelf.place_of(tag))
    shelf.write_pointer("tiny", tag)
    return tag


def share(store: Path, version: str) -> str:
    """Put a bento into the store, and point at it there."""
    tag = f"tiny:v{version}-abc"
    folder = make_bento(version, store.parent / "elsewhere" / version)
    archive = store / shelf.archive_in_store(tag)
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(shelf.pack(folder))
    pointer = store / shelf.pointer_in_store("tiny")
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_text(json.dumps({"tag": tag}))
    return tag


class Taken(list[str]):
    """Versions in the order in which they took over."""

    def __call__(self, predictor: Predictor) -> None:
        self.append(predictor.contract.model_version)


def follow(machine: Path, served: str = "1") -> tuple[Follower, Taken]:
    """A follower from a model that lies beside the code."""
    taken = Taken()
    made = make_bento(served, machine / "beside")
    return Follower("tiny", made / "src", taken), taken


def test_a_service_takes_over_what_the_pointer_comes_to_name(machine: Path) -> None:
    follower, taken = follow(machine)
    follower.look()
    shelve("2")
    follower.look()
    follower.look()
    shelve("3")
    follower.look()

    assert taken == ["2", "3"]


def test_a_service_started_with_an_old_model_takes_over_at_once(machine: Path) -> None:
    shelve("2")
    follower, taken = follow(machine)

    follower.look()

    assert taken == ["2"]


def test_the_model_that_it_was_started_with_is_not_loaded_again(machine: Path) -> None:
    shelve("1")
    follower, taken = follow(machine)

    follower.look()

    assert taken == []


def test_it_comes_back_to_the_model_before(machine: Path) -> None:
    follower, taken = follow(machine)
    first, _ = shelve("1"), follower.look()
    shelve("2")
    follower.look()
    shelf.write_pointer("tiny", first)
    follower.look()

    assert taken == ["2", "1"]


@pytest.mark.parametrize("harm", ["another ONNX file", "no ONNX file", "no folder"])
def test_a_bento_that_cannot_serve_is_refused_and_the_next_one_is_taken(
    machine: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    follower, taken = follow(machine)
    source = shelf.place_of(shelve("2")) / "src"
    if harm == "another ONNX file":
        (source / "model.onnx").write_bytes(b"other")
    elif harm == "no ONNX file":
        (source / "model.onnx").unlink()
    else:
        shutil.rmtree(source)

    follower.look()
    assert taken == []
    assert "refused" in caplog.text

    shelve("3")
    follower.look()
    assert taken == ["3"]


def test_a_pointer_that_cannot_be_read_stops_nothing(machine: Path) -> None:
    follower, taken = follow(machine)
    shelve("2")
    pointer = shelf.pointer_file("tiny")
    whole = pointer.read_bytes()
    for broken in (b"", b"[]", b'{"tag"', b"{}"):
        pointer.write_bytes(broken)
        follower.look()
    pointer.write_bytes(whole)
    follower.look()

    assert taken == ["2"]


def test_the_courier_brings_what_the_store_names_once(machine: Path) -> None:
    assert courier.fetch(str(machine / "store"), "tiny") is None
    tag = share(machine / "store", "1")

    assert courier.fetch(str(machine / "store"), "tiny") == tag
    (machine / "store" / shelf.archive_in_store(tag)).unlink()
    assert courier.fetch(str(machine / "store"), "tiny") == tag

    assert shelf.read_pointer("tiny") == tag
    assert json.loads((shelf.place_of(tag) / "src" / "contract.json").read_text())
    assert list(shelf.place_of(tag).parent.iterdir()) == [shelf.place_of(tag)]


def test_a_torn_archive_leaves_no_bento_and_the_old_one_serving(machine: Path) -> None:
    first = share(machine / "store", "1")
    courier.fetch(str(machine / "store"), "tiny")
    second = share(machine / "store", "2")
    archive = machine / "store" / shelf.archive_in_store(second)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    rounds = iter([False, False, True])

    courier.run(str(machine / "store"), "tiny", is_over=lambda _seconds: next(rounds))
    assert shelf.read_pointer("tiny") == first
    assert not shelf.place_of(second).exists()

    archive.write_bytes(whole)
    courier.fetch(str(machine / "store"), "tiny")
    assert shelf.read_pointer("tiny") == second


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../../outside", tarfile.REGTYPE),
        ("src/../../../outside", tarfile.REGTYPE),
        ("/tmp/driftline-outside", tarfile.REGTYPE),  # noqa: S108 - it must not come to be
        ("outside", tarfile.SYMTYPE),
        ("outside", tarfile.FIFOTYPE),
    ],
)
def test_an_archive_cannot_write_outside_its_folder(machine: Path, name: str, kind: bytes) -> None:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc"
        entry.size = 1 if kind == tarfile.REGTYPE else 0
        archive.addfile(entry, BytesIO(b"x"))

    with pytest.raises(tarfile.TarError, match="outside: wanted"):
        shelf.unpack(buffer.getvalue(), machine / "bentoml" / "bentos" / "tiny" / "v1")
    assert not list(machine.rglob("*outside"))
    assert not Path("/tmp/driftline-outside").exists()  # noqa: S108
