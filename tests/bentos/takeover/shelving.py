"""Bentos without BentoML: a model and its list of files, on a machine's shelf or in a store."""

import json
import shutil
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bentos.predictor import Predictor
from bentos.takeover import archive, content, shelf, trust
from bentos.takeover.follower import Follower
from bentos.takeover.shelf import Pointer
from driftline.contract import Contract, parse_contract
from tests.bentos.models import write_tiny_model


@lru_cache(maxsize=1)
def tiny_model() -> tuple[Contract, bytes]:
    """Contract and ONNX file of the tiny model, trained once."""
    with TemporaryDirectory() as folder:
        made = write_tiny_model(Path(folder))
        contract = parse_contract((made / "contract.json").read_text())
        return contract, (made / "model.onnx").read_bytes()


def make_bento(version: str, folder: Path, onnx: bytes | None = None, problem: str = "tiny") -> str:
    """A bento's folder with a model of that version; returns its tag."""
    contract, tiny = tiny_model()
    model = tiny if onnx is None else onnx
    named = replace(
        contract, model_version=version, problem=problem, onnx_sha256=content.digest(model)
    )
    files = {"contract.json": named.to_json().encode(), "model.onnx": model, "code.py": b"pass\n"}
    (folder / "src").mkdir(parents=True)
    for name, text in files.items():
        (folder / "src" / name).write_bytes(text)
    (folder / "bento.yaml").write_text("service: bentos.service:Service\n")
    content.write_sums(folder)
    served = content.digest_served({name: content.digest(text) for name, text in files.items()})
    return f"tiny:v{version}-{served[: content.TAG_DIGITS]}"


def shelve(
    version: str, onnx: bytes | None = None, problem: str = "tiny", key: str = ""
) -> Pointer:
    """Put a bento on this machine's shelf, and point at it."""
    draft = shelf.bentoml_home() / "draft"
    tag = make_bento(version, draft, onnx, problem)
    sha256 = content.check_bento(draft)
    shelf.put_in_place(draft, made_parent(shelf.place_of(tag)))
    pointer = Pointer(tag, sha256, signature=trust.sign(sha256, key))
    trust.write_signature(shelf.place_of(tag), pointer.signature)
    shelf.write_pointer("tiny", pointer)
    return pointer


def made_parent(folder: Path) -> Path:
    """The same folder, in one that is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def share(store: Path, version: str, key: str = "") -> Pointer:
    """Put a bento into the store, and point at it there."""
    folder = store.parent / "elsewhere" / version
    tag = make_bento(version, folder)
    packed = archive.pack(folder)
    sha256 = content.check_bento(folder)
    signature = trust.sign(sha256, key)
    pointer = Pointer(tag, sha256, content.digest(packed), signature)
    keep(store, pointer, packed)
    return pointer


def keep(store: Path, pointer: Pointer, packed: bytes) -> None:
    """Write an archive and the pointer into the store, whatever they hold."""
    place = store / "bentos" / pointer.tag.replace(":", "/")
    place = place.with_name(f"{place.name}.bento")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(packed)
    named = store / shelf.pointer_in_store("tiny")
    named.parent.mkdir(parents=True, exist_ok=True)
    named.write_bytes(shelf.format_pointer(pointer))


def edit_contract(folder: Path, **changes: object) -> None:
    """What somebody does who wants other answers: change a contract where it lies."""
    path = folder / "src" / "contract.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


class Taken(list[str]):
    """Versions in the order in which they took over."""

    def __call__(self, predictor: Predictor) -> None:
        self.append(predictor.contract.model_version)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def follow(machine: Path, clock: Clock | None = None) -> tuple[Follower, Taken]:
    """A follower from a model that lies beside the code."""
    taken = Taken()
    make_bento("1", machine / "beside")
    return Follower("tiny", machine / "beside" / "src", taken, clock=clock or Clock()), taken


def no_onnx(pointer: Pointer) -> None:
    """No ONNX file."""
    (shelf.place_of(pointer.tag) / "src" / "model.onnx").unlink()


def no_folder(pointer: Pointer) -> None:
    """No bento."""
    shutil.rmtree(shelf.place_of(pointer.tag))
