"""The list of a bento's files, and what it is verified against where a model is loaded."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.predictor import ModelRefusedError, load_predictor
from bentos.takeover import content, trust
from bentos.takeover.content import ContentError, check_bento, format_sums, parse_sums
from tests.bentos.takeover.shelving import edit_contract, make_bento
from tests.support import lacking

KEY = "k" * 32
NAMES = st.text("abc./_ é", min_size=1).filter(lambda name: name.splitlines() == [name])


@given(st.dictionaries(NAMES, st.binary(max_size=3).map(content.digest), min_size=1))
def test_a_list_of_files_is_read_back(digests: dict[str, str]) -> None:
    assert parse_sums(format_sums(digests)) == digests


@given(st.binary(max_size=200))
def test_no_other_bytes_are_a_list_of_files(text: bytes) -> None:
    try:
        digests = parse_sums(text)
    except ContentError:
        return
    assert format_sums(digests) == text


def test_a_person_can_verify_a_bento_with_a_tool_of_any_system(machine: Path) -> None:
    make_bento("1", machine / "made")
    tool = shutil.which("sha256sum")
    if tool is None:
        lacking("sha256sum")

    told = subprocess.run(
        [str(tool), "--check", "--strict", content.SUMS],
        cwd=machine / "made",
        check=True,
        capture_output=True,
        text=True,
    )

    assert told.stdout.splitlines() == [
        "bento.yaml: OK",
        "src/code.py: OK",
        "src/contract.json: OK",
        "src/model.onnx: OK",
    ]


def test_bytecode_that_python_leaves_is_no_content(machine: Path) -> None:
    make_bento("1", machine / "made")
    before = check_bento(machine / "made")
    (machine / "made" / "src" / "__pycache__").mkdir()
    (machine / "made" / "src" / "__pycache__" / "code.pyc").write_bytes(b"left by Python")

    assert check_bento(machine / "made") == before


def test_an_edited_contract_is_refused_wherever_a_model_is_loaded(machine: Path) -> None:
    make_bento("1", machine / "made")
    load_predictor(machine / "made" / "src")
    edit_contract(machine / "made", threshold=0.999999)

    with pytest.raises(ModelRefusedError, match=r"contract.json: got SHA-256"):
        load_predictor(machine / "made" / "src")


def test_a_list_that_leaves_out_the_model_is_refused(machine: Path) -> None:
    make_bento("1", machine / "made")
    sums = parse_sums((machine / "made" / content.SUMS).read_bytes())
    del sums["src/contract.json"]
    (machine / "made" / content.SUMS).write_bytes(format_sums(sums))

    with pytest.raises(ModelRefusedError, match=r"does not list contract.json"):
        load_predictor(machine / "made" / "src")


@pytest.mark.parametrize("harm", ["no signature", "another key", "another list", "no list"])
def test_with_a_key_only_a_signed_model_is_loaded(
    machine: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    folder = machine / "made"
    make_bento("1", folder)
    sha256 = check_bento(folder)
    trust.write_signature(folder, trust.sign(sha256, KEY))
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    load_predictor(folder / "src")
    if harm == "no signature":
        trust.write_signature(folder, "")
    elif harm == "another key":
        trust.write_signature(folder, trust.sign(sha256, "o" * 32))
    elif harm == "another list":
        edit_contract(folder, threshold=0.999999)
        content.write_sums(folder)
    else:
        (folder / content.SUMS).unlink()

    with pytest.raises(ModelRefusedError, match="signed"):
        load_predictor(folder / "src")
