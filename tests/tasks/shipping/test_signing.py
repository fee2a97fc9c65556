"""What the owner of a key signs when a bento or an archive is packaged, and what he does not."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa

from bentos.predictor import ModelRefusedError, load_predictor
from bentos.takeover import content, courier, shelf
from bentos.takeover.content import ContentError
from bentos.takeover.trust import read_bundle, read_signature, write_bundle, write_signature
from driftline.errors import SettingsError
from driftline.served import ServedModel
from tasks.settings import get_settings
from tasks.shipping import archives, packaging
from tasks.shipping.packaging import build_bento, point_at
from tests.bentos.takeover.signing import make_keys
from tests.support import ROOT
from tests.tasks.shipping.machines import (
    KEY,
    PROBLEM,
    forbid_building,
    move_to_another_machine,
)

RSA = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    .decode()
)


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
