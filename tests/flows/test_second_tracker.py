"""Weights & Biases beside MLflow: the figures of a training are there, and no more than those."""

import json
import socket
import sys
from pathlib import Path

import pytest

from driftline.errors import PackagingError, SettingsError
from tasks.models import mirror
from tasks.settings import get_settings
from tasks.shipping.wheels import Target, install_packages, own_platform, own_python
from tests.conftest import RunFlow
from tests.support import ROOT, TINY, file_problem, lacking, tiny_rows


@pytest.mark.system
def test_the_figures_of_a_training_are_in_its_offline_run(
    run_flow: RunFlow, tmp_path: Path
) -> None:
    home, project, packages = (tmp_path / name for name in ("home", "project", "packages"))
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows(300).to_csv(project / "rows.csv", index=False)
    try:
        target = Target(own_python(), own_platform(), str(packages))
        install_packages(ROOT / mirror.LOCK, packages, target)
    except PackagingError as error:
        lacking(f"wandb ({error})")
    env = {"DRIFTLINE_SECOND_TRACKER": "wandb"}

    missing = run_flow("train", "tiny", "--folds", "2", home=home, project=project, env=env)
    env["PYTHONPATH"] = str(packages)
    done = run_flow("train", "tiny", "--folds", "2", home=home, project=project, env=env)

    assert missing.returncode == 1
    (sentence,) = [line for line in missing.stderr.splitlines() if line.strip()]
    assert sentence.startswith("error: DRIFTLINE_SECOND_TRACKER: wandb is not installed; wanted")
    assert done.returncode == 0, done.stdout + done.stderr
    (written,) = (home / "wandb").rglob("*.wandb")
    content = written.read_bytes()
    summary = json.loads((home / "runs" / "latest.json").read_text())
    assert summary["model"]["run_id"].encode() in content
    for name in ("test_roc_auc", "cv_recall_mean"):
        assert name.encode() in content
        assert repr(summary["metrics"][name]).encode() in content
    assert b"logistic_regression/test_roc_auc" in content
    told = [path.read_bytes() for path in (home / "wandb").rglob("*") if path.is_file()]
    kept = (str(ROOT), str(project), socket.gethostname(), sys.executable)
    assert [word for word in kept for text in told if word.encode() in text] == []


def test_a_tracker_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_SECOND_TRACKER", "neptune")
    get_settings.cache_clear()
    try:
        with pytest.raises(SettingsError, match="SECOND_TRACKER: got 'neptune', wanted 'wandb'"):
            mirror.check_second_tracker.fn()
    finally:
        get_settings.cache_clear()
