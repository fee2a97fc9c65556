"""A promotion that waits for a person, and the evidence that is handed over with the model."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bentos.predictor import ModelRefusedError, load_predictor
from tests.support import TINY, file_problem, tiny_rows
from tests.system.watching import Left

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Site:
    """The tiny problem, whose promotions wait for a person."""

    run: Callable[..., Any]
    folder: Path

    def __call__(self, *words: str, **env: str) -> Any:
        """Run a flow to its end."""
        where = {"home": self.folder / "home", "project": self.folder / "project"}
        return self.run(*words, **where, env=env)

    @property
    def left(self) -> Left:
        """What the flows have left."""
        return Left(self.folder / "home")


@pytest.fixture(scope="module")
def site(run_flow: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("evidence")
    project = folder / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source, changes={"promote": "person"})
    tiny_rows().to_csv(project / "rows.csv", index=False)
    return Site(run_flow, folder)


@pytest.fixture(scope="module")
def waiting(site: Site) -> dict[str, Any]:
    """Summary of a training whose winner passed its gate."""
    done = site("train", "tiny", "--folds", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    return site.left.summary


@pytest.fixture(scope="module")
def approved(site: Site, waiting: dict[str, Any]) -> dict[str, Any]:
    """Summary of the approval."""
    assert waiting["promotion"]["champion"] is None
    done = site("approve", "tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    return site.left.summary


@pytest.fixture(scope="module")
def evidence(site: Site, approved: dict[str, Any]) -> Path:
    """The evidence of the champion, signed and unpacked."""
    del approved
    key, public, folder = (site.folder / name for name in ("key.pem", "key.pub", "evidence"))
    make = ("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
    subprocess.run(make, check=True)
    subprocess.run(
        ("openssl", "ec", "-in", str(key), "-pubout", "-out", str(public)),
        check=True,
        capture_output=True,
    )
    done = site("evidence", "tiny", DRIFTLINE_EVIDENCE_KEY=str(key))
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(site.left.summary["evidence"]["path"]) as archive:
        archive.extractall(folder)
    return folder


def test_what_passed_its_gate_waits_and_does_not_serve(waiting: dict[str, Any]) -> None:
    assert waiting["promotion"]["verdict"] == "waiting"
    assert "python -m flows.approve tiny" in waiting["promotion"]["reasons"][-1]
    assert "bento" not in waiting


def test_once_a_person_agrees_it_serves_and_the_journal_says_who(
    site: Site, approved: dict[str, Any]
) -> None:
    challenged, promoted = site.left.entries

    assert approved["promotion"]["champion"] == "1"
    assert approved["bento"]["tag"].startswith("tiny:v1-")
    assert (challenged.alias, promoted.alias) == ("challenger", "champion")
    assert promoted.actor.startswith("approve ")
    assert site.left.breaks() == []


def test_nothing_waits_a_second_time(site: Site, approved: dict[str, Any]) -> None:
    del approved

    again = site("approve", "tiny")

    assert again.returncode == 1
    assert "error: tiny: no model waits for a person" in again.stderr


def test_the_evidence_holds_the_card_and_what_stands_behind_it(site: Site, evidence: Path) -> None:
    card = json.loads((evidence / "card.json").read_text())
    names = {path.name for path in evidence.iterdir()}

    assert {"card.html", "change_plan.json", "journal.json", "sbom.cdx.json"} <= names
    assert ["rows", "240"] in card["What it has learnt from"]
    assert ["what the checks of the data noted", "nothing"] in card["What it has learnt from"]
    assert len(card["Who served when"]) == 2
    page = site.folder / "home" / "reports" / "cards" / "tiny-v1.html"
    assert page.read_bytes() == (evidence / "card.html").read_bytes()
    tags = site.left.client.get_model_version("tiny", "1").tags
    assert tags["card"].endswith("cards/tiny-v1.html")


def test_the_same_key_signs_the_bento_that_serves_it(
    site: Site, evidence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del evidence
    (bento,) = (site.folder / "home" / "bentoml" / "bentos" / "tiny").glob("v1-*")
    monkeypatch.setenv("DRIFTLINE_EVIDENCE_PUBLIC_KEY", str(site.folder / "key.pub"))

    assert load_predictor(bento / "src").contract.model_version == "1"

    (bento / "model.sig").rename(site.folder / "model.sig")
    with pytest.raises(ModelRefusedError, match="not signed"):
        load_predictor(bento / "src")
    (site.folder / "model.sig").rename(bento / "model.sig")


def test_whoever_receives_it_can_verify_it(site: Site, evidence: Path) -> None:
    words = ("--verify", str(evidence), "--public-key", str(site.folder / "key.pub"))

    kept = site("evidence", "tiny", *words)

    assert kept.returncode == 0, kept.stderr
    assert site.left.summary["evidence"]["is_signed"]
