"""A real bento: what packaging does where it, its archive or its signature is not right."""

import json
import zipfile
from pathlib import Path

import pytest

from bentos.predictor import ModelRefusedError, load_predictor
from bentos.takeover import content, courier, shelf
from bentos.takeover.trust import Trust, write_signature
from driftline.contract import parse_contract
from driftline.errors import SettingsError
from driftline.served import ServedModel
from tasks.settings import get_settings
from tasks.shipping import archives, packaging
from tasks.shipping.packaging import build_bento, point_at
from tests.bentos.models import tiny_problem, write_tiny_model
from tests.support import ROOT
from tests.tasks.shipping.machines import (
    KEY,
    PROBLEM,
    archive_of,
    forbid_building,
    move_to_another_machine,
)


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
    write_signature(Path(bento.path), "")
    with pytest.raises(ModelRefusedError, match="not signed"):
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
