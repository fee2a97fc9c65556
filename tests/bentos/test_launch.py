"""What the service is started with: a whole bento, or a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bentos.launch import find_bento, pin_paths
from bentos.settings import state_folder
from bentos.takeover import shelf
from tests.bentos.takeover.shelving import edit_contract, share, shelve
from tests.support import ROOT

KEY = "k" * 32


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of the test's own."""
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    for name in ("DRIFTLINE_STORE_URL", "DRIFTLINE_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def refusal() -> str:
    with pytest.raises(SystemExit) as raised:
        find_bento("tiny")
    return str(raised.value)


def test_the_bento_that_the_pointer_names_is_started() -> None:
    pointer = shelve("2")

    assert find_bento("tiny") == pointer


def test_without_a_bento_it_says_how_to_make_one() -> None:
    assert "make one with: make run PROBLEM=tiny" in refusal()


def test_an_edited_contract_is_not_started() -> None:
    edit_contract(shelf.place_of(shelve("2").tag), threshold=0.999999)

    told = refusal()

    assert "src/contract.json: got SHA-256" in told
    assert told.endswith("make it anew with: python -m flows.package tiny")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [("serving", "is a file, wanted a folder"), ("serving/tiny.json", "is a folder")],
)
def test_what_lies_in_the_place_of_the_pointer_is_named(
    wrong: str, told: str, machine: Path
) -> None:
    path = machine / "bentoml" / wrong
    path.parent.mkdir(parents=True)
    path.touch() if path.suffix == "" else path.mkdir()

    assert refusal().startswith(f"error: {path}: {told}")


def test_with_a_key_an_unsigned_bento_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    shelve("2")
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)

    assert "not signed" in refusal()


def test_a_pointer_of_before_digests_asks_for_packaging() -> None:
    shelve("2")
    shelf.pointer_file("tiny").write_text('{"tag": "tiny:v2-0123456789ab"}')

    assert "names no SHA-256 of its bento" in refusal()


def test_what_the_store_has_is_refused_and_what_is_here_is_started(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = shelve("2")
    newer = share(machine / "store", "3")
    (machine / "store" / shelf.archive_in_store(newer.tag)).write_bytes(b"torn")
    monkeypatch.setenv("DRIFTLINE_STORE_URL", str(machine / "store"))

    assert find_bento("tiny") == here
    assert "archive: got SHA-256" in capsys.readouterr().err


def test_paths_hold_where_the_servers_workers_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run in the bento's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRIFTLINE_HOME", str(state_folder()))
    names = ("DRIFTLINE_SPOOL_DIR", "DRIFTLINE_LOOKUP_DIR", "DRIFTLINE_EVIDENCE_PUBLIC_KEY")
    for name in names:
        monkeypatch.setenv(name, "somewhere")

    pin_paths()

    assert {os.environ[name] for name in names} == {str(tmp_path / "somewhere")}
    monkeypatch.setenv("DRIFTLINE_LOOKUP_DIR", "")
    monkeypatch.setenv("DRIFTLINE_EVIDENCE_PUBLIC_KEY", "-----BEGIN PUBLIC KEY-----")
    pin_paths()
    assert os.environ["DRIFTLINE_LOOKUP_DIR"] == str(state_folder() / "lookups")
    assert os.environ["DRIFTLINE_EVIDENCE_PUBLIC_KEY"] == "-----BEGIN PUBLIC KEY-----"


@pytest.mark.parametrize("setting", ["DRIFTLINE_HOME", "DRIFTLINE_SPOOL_DIR"])
def test_where_nothing_can_be_written_the_setting_that_helps_is_named(
    machine: Path, setting: str
) -> None:
    (machine / "file").write_text("no folder")
    words = [sys.executable, "-m", "bentos.launch", "tiny"]
    environment = os.environ | {"DRIFTLINE_SPOOL_DIR": "", setting: str(machine / "file" / "in")}

    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "cannot be written (Not a directory)" in done.stderr
    assert done.stderr.endswith(f"wanted a folder that can be ({setting})\n")
