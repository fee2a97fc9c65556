"""A champion whose files in MLflow are edited or gone: one sentence, and a way out."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driftline.digests import digest_bytes
from tests.support import TINY, file_problem, tiny_rows
from tests.system.watching import Left

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Site:
    """The tiny problem with one champion."""

    run: Callable[..., Any]
    home: Path
    project: Path

    def __call__(self, *words: str) -> Any:
        """Run a flow to its end."""
        return self.run(*words, home=self.home, project=self.project)

    @property
    def serving(self) -> Path:
        """What MLflow holds of the first model for serving."""
        (folder,) = self.home.glob("artifacts/*/artifacts/serving")
        return folder


@pytest.fixture(scope="module")
def site(run_flow: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Trained once, and what is in MLflow gone afterwards."""
    root = tmp_path_factory.mktemp("lost")
    project = root / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows().to_csv(project / "rows.csv", index=False)
    site = Site(run_flow, root / "home", project)
    done = site("train", "tiny", "--folds", "2")
    assert done.returncode == 0, done.stderr
    return site


@pytest.fixture(scope="module")
def edited(site: Site) -> Any:
    """Packaging once somebody has edited the champion's contract."""
    contract = site.serving / "contract.json"
    contract.write_text(json.dumps(json.loads(contract.read_text()) | {"threshold": 0.999999}))
    return site("package", "tiny")


@pytest.fixture(scope="module")
def gone(site: Site, edited: Any) -> Any:
    """Packaging once the champion's files are gone."""
    del edited
    shutil.rmtree(site.serving)
    return site("package", "tiny")


def test_the_journal_holds_the_digests_of_what_was_promoted(site: Site) -> None:
    (entry,) = Left(site.home).entries

    contract = (site.serving / "contract.json").read_bytes()
    assert entry.onnx_sha256 == digest_bytes((site.serving / "model.onnx").read_bytes())
    assert entry.contract_sha256 == digest_bytes(contract)
    assert entry.served_sha256 is not None
    pointer = json.loads((site.home / "bentoml" / "serving" / "tiny.json").read_text())
    assert pointer["tag"] == f"tiny:v1-{entry.served_sha256[:12]}"


def test_an_edited_contract_is_not_packaged(edited: Any) -> None:
    assert edited.returncode == 1
    assert "its contract is not the one that was promoted" in edited.stderr
    assert "Traceback" not in edited.stderr


def test_a_champion_whose_files_are_gone_is_told_with_the_ways_out(gone: Any) -> None:
    told = " ".join(gone.stderr.split())

    assert gone.returncode == 1
    assert "its files are not in MLflow's store" in told
    assert "(python -m flows.rollback tiny), or train anew" in told
    assert "Traceback" not in told


def test_a_new_champion_takes_the_place_of_one_that_is_lost(site: Site, gone: Any) -> None:
    del gone
    trained = site("train", "tiny", "--folds", "2")

    assert trained.returncode == 0, trained.stderr
    left = Left(site.home)
    assert left.champion() == "2"
    assert left.breaks() == []
    reasons = " ".join(left.summary["promotion"]["reasons"])
    assert "not compared with the champion: tiny v1: its files are not in MLflow's store" in reasons
