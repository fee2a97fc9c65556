"""A real bento: what packaging does where it, its archive or its signature is not right."""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa

from bentos.predictor import ModelRefusedError, load_predictor
from bentos.takeover import content, courier, shelf
from bentos.takeover.content import ContentError
from bentos.takeover.trust import Trust, read_bundle, read_signature, write_bundle, write_signature
from driftline.contract import parse_contract
from driftline.errors import SettingsError
from driftline.served import ServedModel
from tasks.settings import get_settings
from tasks.shipping import archives, packaging
from tasks.shipping.packaging import Bento, build_bento, point_at
from tests.bentos.models import tiny_problem, write_tiny_model
from tests.bentos.takeover.signing import make_keys
from tests.support import ROOT

KEY = "k" * 32
PROBLEM = tiny_problem()
RSA = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    .decode()
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """The tiny problem's model."""
    folder = write_tiny_model(tmp_path_factory.mktemp("model"))
    contract = parse_contract((folder / "contract.json").read_text())
    return ServedModel("7", (folder / "model.onnx").read_bytes(), contract, frozenset())


@pytest.fixture(scope="module")
def built(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BentoML home with the one bento that BentoML has built."""
    home = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(home))
        patch.setenv("DRIFTLINE_HOME", str(home.parent))
        patch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
        get_settings.cache_clear()
        build_bento.fn(PROBLEM, model)
        get_settings.cache_clear()
    return home


@pytest.fixture
def machine(home: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has the bento, and shares a store with others."""
    shutil.copytree(built, home / "bentoml")
    use_store(home.parent / "store", monkeypatch)
    return home


def use_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_STORE_URL", str(store))
    get_settings.cache_clear()


def move_to_another_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with an empty disk."""
    monkeypatch.setenv("BENTOML_HOME", str(home.parent / "another"))


def forbid_building(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaging, "_run_build", lambda *_: pytest.fail("built again"))


def archive_of(store: Path, bento: Bento) -> Path:
    return store / shelf.archive_in_store(bento.tag)


def test_a_bento_lists_all_its_files_and_is_signed_where_a_key_is_set(
    machine: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_building(monkeypatch)
    bento = build_bento.fn(PROBLEM, model)

    listed = content.parse_sums((Path(bento.path) / content.SUMS).read_bytes())
    assert {"bento.yaml", "src/contract.json", "src/model.onnx", "src/bentos/api.py"} <= set(listed)
    assert content.check_bento(Path(bento.path)) == bento.sha256
    promoted = packaging.digest_model(PROBLEM, model.contract, model.onnx)
    assert bento.tag.endswith(promoted.served_sha256[: content.TAG_DIGITS])

    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)  # which signed it before
    load_predictor(Path(bento.path) / "src")
    assert machine in Path(bento.path).parents


@pytest.mark.parametrize("name", ["src/contract.json", "src/bentos/api.py", "bento.yaml"])
def test_a_bento_that_is_damaged_is_taken_anew_from_the_store(
    machine: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    forbid_building(monkeypatch)
    bento = build_bento.fn(PROBLEM, model)
    point_at.fn(PROBLEM, bento)
    path = Path(bento.path) / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])

    again = build_bento.fn(PROBLEM, model)

    assert again == bento
    assert path.read_bytes() == whole
    assert machine in path.parents


def test_a_bento_that_is_damaged_is_built_anew_and_is_the_same(
    machine: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On whatever machine, and whenever: its digest is that of its content."""
    monkeypatch.delenv("DRIFTLINE_STORE_URL")
    get_settings.cache_clear()
    bento = build_bento.fn(PROBLEM, model)
    (Path(bento.path) / "src" / "contract.json").write_text("{}")

    again = build_bento.fn(PROBLEM, model)

    assert again == bento
    load_predictor(Path(again.path) / "src")
    assert list(Path(again.path).parent.iterdir()) == [Path(again.path)]
    assert machine in Path(again.path).parents


@pytest.mark.parametrize("harm", ["torn", "gone", "other files"])
def test_an_archive_that_is_damaged_in_the_store_is_written_anew(
    machine: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    forbid_building(monkeypatch)
    store = machine.parent / "store"
    bento = build_bento.fn(PROBLEM, model)
    point_at.fn(PROBLEM, bento)
    archive = archive_of(store, bento)
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-99])
    if harm == "gone":
        archive.unlink()
    elif harm == "other files":
        archive.write_bytes(b"nothing of ours")

    point_at.fn(PROBLEM, bento)

    assert archive.read_bytes() == whole
    move_to_another_machine(machine, monkeypatch)
    assert courier.fetch(str(store), "tiny") == shelf.read_pointer("tiny")


def test_another_machine_fetches_what_one_has_built_and_signed(
    machine: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_building(monkeypatch)
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    bento = build_bento.fn(PROBLEM, model)
    point_at.fn(PROBLEM, bento)
    move_to_another_machine(machine, monkeypatch)

    pointer = courier.fetch(str(machine.parent / "store"), "tiny")

    assert pointer is not None
    assert (pointer.tag, pointer.sha256) == (bento.tag, bento.sha256)
    shelf.check_shelved(pointer, Trust(KEY))
    load_predictor(shelf.place_of(pointer.tag) / "src")
    assert packaging.served_tag("tiny") == bento.tag
    assert packaging.served_snapshot("tiny") == model.contract.snapshot


def test_a_key_that_is_too_short_is_told(
    machine: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", "short")

    with pytest.raises(SettingsError, match="got 5 characters, wanted at least 32"):
        build_bento.fn(PROBLEM, model)
    assert machine.exists()


@pytest.fixture
def keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The key that this machine signs with, and its public half."""
    private, public = make_keys(home.parent / "keys")
    sign_with(private, monkeypatch)
    return private, public


def sign_with(private: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_EVIDENCE_KEY", str(private or ""))
    get_settings.cache_clear()


def verify_by_library(folder: Path, public: Path, *words: str) -> str:
    """What anybody is told who verifies a folder by the library's own command."""
    command = [sys.executable, "-m", "model_signing", "verify", "key", str(folder), *words]
    command += ["--signature", str(folder / content.BUNDLE), "--public_key", str(public)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_bento_is_signed_by_a_key_that_no_service_has(
    machine: Path,
    model: ServedModel,
    keys: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bento = build_bento.fn(PROBLEM, model)
    forbid_building(monkeypatch)
    signature = read_bundle(Path(bento.path))
    point_at.fn(PROBLEM, build_bento.fn(PROBLEM, model))
    sign_with(None, monkeypatch)
    point_at.fn(PROBLEM, build_bento.fn(PROBLEM, model))  # a worker without the key

    assert read_bundle(Path(bento.path)) == signature  # once
    assert "Verification succeeded" in verify_by_library(Path(bento.path), keys[1])
    move_to_another_machine(machine, monkeypatch)
    monkeypatch.setenv("DRIFTLINE_EVIDENCE_PUBLIC_KEY", keys[1].read_text())
    pointer = courier.fetch(str(machine.parent / "store"), "tiny")
    assert pointer is not None
    load_predictor(shelf.place_of(pointer.tag) / "src")


def test_another_key_signs_anew(
    machine: Path, model: ServedModel, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at.fn(PROBLEM, build_bento.fn(PROBLEM, model))
    newer = make_keys(machine.parent / "newer")
    sign_with(newer[0], monkeypatch)

    point_at.fn(PROBLEM, build_bento.fn(PROBLEM, model))

    move_to_another_machine(machine, monkeypatch)
    monkeypatch.setenv("DRIFTLINE_EVIDENCE_PUBLIC_KEY", str(newer[1]))
    courier.fetch(str(machine.parent / "store"), "tiny")
    monkeypatch.setenv("DRIFTLINE_EVIDENCE_PUBLIC_KEY", str(keys[1]))
    with pytest.raises(ContentError, match="made by another key"):
        courier.fetch(str(machine.parent / "store"), "tiny")


@pytest.mark.parametrize("is_here", [False, True])
@pytest.mark.parametrize("name", ["DRIFTLINE_EVIDENCE_KEY", "DRIFTLINE_SIGNING_KEY"])
def test_nothing_is_signed_that_another_machine_left_in_the_store(
    machine: Path,
    model: ServedModel,
    keys: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    *,
    is_here: bool,
) -> None:
    sign_with(None, monkeypatch)
    bento = build_bento.fn(PROBLEM, model)
    edited = Path(bento.path) / "bento.yaml"
    edited.write_text(edited.read_text() + "# whoever can write to the store\n")
    planted = replace(bento, sha256=content.write_sums(Path(bento.path)))
    point_at.fn(PROBLEM, planted)
    if not is_here:
        shutil.rmtree(bento.path)
    monkeypatch.setenv(name, str(keys[0]) if name.endswith("EVIDENCE_KEY") else KEY)
    get_settings.cache_clear()
    monkeypatch.setattr(packaging, "_run_build", lambda *_: pytest.fail("built, as it should be"))

    with pytest.raises(pytest.fail.Exception, match="built, as it should be"):
        build_bento.fn(PROBLEM, model)
    assert machine.exists()


def test_a_writer_that_is_killed_leaves_a_whole_bento(
    machine: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    bento = build_bento.fn(PROBLEM, model)
    folder = Path(bento.path)

    def die(draft: Path, target: Path) -> None:
        assert draft.exists()
        raise KeyboardInterrupt(target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        for write in (
            lambda: write_bundle(folder, b"{}"),
            lambda: write_signature(folder, "another"),
        ):
            with pytest.raises(KeyboardInterrupt):
                write()

    assert content.check_bento(folder) == bento.sha256
    assert read_signature(folder) != "another"
    assert machine in folder.parents


def test_a_key_that_cannot_sign_is_told(
    machine: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content_of_key in (None, "nothing", RSA):
        path = machine.parent / "wrong.pem"
        if content_of_key is not None:
            path.write_text(content_of_key)
        sign_with(path, monkeypatch)

        with pytest.raises(SettingsError, match=r"DRIFTLINE_EVIDENCE_KEY: wrong.pem .*wanted"):
            build_bento.fn(PROBLEM, model)


def test_a_lambda_bears_the_signature_of_its_own_files(
    model: ServedModel,
    keys: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "content"
    (folder / "numpy").mkdir(parents=True)
    (folder / "numpy" / "__init__.py").write_text("")
    archives.write_served(folder, model, {name: ROOT / name for name in archives.CODE})
    monkeypatch.setenv("DRIFTLINE_EVIDENCE_PUBLIC_KEY", str(keys[1]))

    load_predictor(folder)

    told = verify_by_library(folder, keys[1], "--ignore_unsigned_files")
    assert "Verification succeeded" in told
    (folder / content.BUNDLE).unlink()
    with pytest.raises(ModelRefusedError, match="not signed"):
        load_predictor(folder)


def test_a_lambda_lists_and_signs_what_is_served_too(
    model: ServedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    folder = tmp_path / "content"
    folder.mkdir()
    archives.write_served(folder, model, {name: ROOT / name for name in archives.CODE})
    (folder / "numpy").mkdir()
    (folder / "numpy" / "__init__.py").write_text("")
    packed = archives.pack_folder(folder, tmp_path / "lambda.zip")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "task")

    load_predictor(tmp_path / "task")

    contract = tmp_path / "task" / "contract.json"
    contract.write_text(contract.read_text().replace('"threshold": 0.4', '"threshold": 0.999999'))
    with pytest.raises(ModelRefusedError, match=r"contract.json: got SHA-256"):
        load_predictor(tmp_path / "task")


def test_a_build_removes_the_drafts_of_killed_ones(home: Path, tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path / "model")
    contract = parse_contract((folder / "contract.json").read_text())
    model = ServedModel("7", (folder / "model.onnx").read_bytes(), contract, frozenset())
    bentos = home / "bentoml" / "bentos" / "tiny"
    draft = bentos / ".draft-killed" / "bentos" / "tiny"
    draft.mkdir(parents=True)
    (draft / "half.json").write_text(json.dumps({"half": "written"}))
    (bentos / "v6-0123456789ab").mkdir()

    built = build_bento.fn(tiny_problem(), model)

    names = sorted(path.name for path in bentos.iterdir())
    assert names == ["v6-0123456789ab", Path(built.path).name]
    load_predictor(Path(built.path) / "src")
