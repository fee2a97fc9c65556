"""The page, the bill of materials, the archive, and the signature over them."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bentos.takeover.content import SUMS, check_files, parse_sums
from driftline.dataset import draft_contract
from driftline.errors import DataError, SettingsError
from driftline.model_card import Section
from tasks.evidence.card_page import draw_card
from tasks.evidence.packing import keep, lay_out
from tasks.evidence.parts_list import list_parts
from tasks.evidence.signing import sign_folder, verify_folder
from tests.support import make_problem

CONTRACT = replace(draft_contract(make_problem()), model_version="3", onnx_sha256="ab" * 32)
LOCK = """numpy==2.1.0 \\
    --hash=sha256:00
    # via -r x
orjson==3.10.1 ; python_version > '3'
"""


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public one."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(encoding, form))
    return private, public


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Evidence that is laid out."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    lay_out.fn(folder, {"card.html": b"<p>", "model.onnx": b"graph"})
    return folder


def test_a_page_shows_text_as_text_and_its_pictures_within_it() -> None:
    sections = [Section("A <b>", (("x", "<script>"),), ("what", "how"), ("a.png", "gone.png"))]

    page = draw_card.fn("T & U", sections, {"a.png": b"\x89PNG"}).decode()

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<img") == 1
    assert 'src="data:image/png;base64,' in page


def test_the_bill_of_materials_keeps_its_schema() -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = list_parts.fn(CONTRACT, LOCK).decode()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    parts = {one["name"]: one for one in json.loads(text)["components"]}
    assert set(parts) == {"tiny", "numpy", "orjson"}
    assert parts["numpy"]["purl"] == "pkg:pypi/numpy@2.1.0"
    assert parts["tiny"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]


def test_the_archive_holds_every_file_under_its_digest(folder: Path, home: Path) -> None:
    address, _ = keep.fn(folder, "tiny-v3")

    assert Path(address) == home / "evidence" / "tiny-v3.zip"
    with zipfile.ZipFile(address) as archive:
        archive.extractall(folder.parent / "out")
    check_files(folder.parent / "out", parse_sums((folder.parent / "out" / SUMS).read_bytes()))


def test_what_was_signed_is_verified(folder: Path, keys: tuple[Path, Path]) -> None:
    sign_folder.fn(folder, keys[0])

    verify_folder.fn(folder, keys[1])


@pytest.mark.parametrize("change", ["edited", "added", "removed", "unsigned"])
def test_evidence_that_was_changed_is_refused(
    folder: Path, keys: tuple[Path, Path], change: str
) -> None:
    sign_folder.fn(folder, keys[0])
    if change == "edited":
        (folder / "card.html").write_bytes(b"<p>other")
    elif change == "added":
        (folder / "more.txt").write_bytes(b"more")
    elif change == "removed":
        (folder / "card.html").unlink()
    else:
        (folder / "evidence.sig").unlink()

    with pytest.raises(DataError, match=r"evidence: (does not have the signature|got no)"):
        verify_folder.fn(folder, keys[1])


def test_a_key_that_is_none_is_named(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no key")

    with pytest.raises(SettingsError, match=r"DRIFTLINE_EVIDENCE_KEY: wrong\.pem cannot be used"):
        sign_folder.fn(folder, wrong)
