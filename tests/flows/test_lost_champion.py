"""A champion whose files in MLflow are edited or gone: one sentence, and a way out."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture
def site(run_flow: Callable[..., Any], tmp_path: Path) -> Site:
    """Trained once."""
    project = tmp_path / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows().to_csv(project / "rows.csv", index=False)
    site = Site(run_flow, tmp_path / "home", project)
    done = site("train", "tiny", "--folds", "2")
    assert done.returncode == 0, done.stderr
    return site


def test_an_edited_contract_is_not_packaged_and_a_lost_champion_is_replaced(site: Site) -> None:
    journal = Left(site.home).entries
    assert [entry.after for entry in journal if entry.onnx_sha256 and entry.contract_sha256] == [
        "1"
    ]
    contract = site.serving / "contract.json"
    contract.write_text(json.dumps(json.loads(contract.read_text()) | {"threshold": 0.999999}))

    edited = site("package", "tiny")
    shutil.rmtree(site.serving)
    gone = site("package", "tiny")
    trained = site("train", "tiny", "--folds", "2")

    ways_out = "go back to the champion before (python -m flows.rollback tiny), or train anew"
    assert edited.returncode == gone.returncode == 1
    assert "its contract is not the one that was promoted" in edited.stderr
    assert "its files are not in MLflow's store" in gone.stderr
    for each in (edited, gone):
        assert ways_out in " ".join(each.stderr.split())
        assert "Traceback" not in each.stderr
    assert trained.returncode == 0, trained.stderr
    left = Left(site.home)
    assert left.champion() == "2"
    assert left.breaks() == []
    assert "not compared with the champion: tiny v1" in " ".join(
        left.summary["promotion"]["reasons"]
    )
