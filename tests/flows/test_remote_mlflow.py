"""MLflow is a server that wants a password: the main job works, and tells it to nobody."""

import json
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient

from driftline.errors import SettingsError
from tasks.decorators import io
from tests.conftest import RunFlow
from tests.flows.guarding import PASSWORD, TOKEN, USER, as_json, guarded_mlflow, guarding
from tests.support import TINY, file_problem, tiny_rows


@pytest.mark.system
def test_the_main_job_works_with_a_server_that_wants_a_password(
    run_flow: RunFlow, tmp_path: Path
) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows(300).to_csv(project / "rows.csv", index=False)
    where = {"home": home, "project": project}

    with guarded_mlflow(tmp_path) as guard:
        server = {"MLFLOW_TRACKING_URI": guard.url}
        login = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
        wrong = login | {"MLFLOW_TRACKING_PASSWORD": f"not-{PASSWORD}"}
        refused = run_flow("pipeline", "tiny", "--folds", "2", **where, env=server | wrong)
        tries = len(guard.refused)
        done = run_flow("pipeline", "tiny", "--folds", "2", **where, env=server | login)
        by_token = server | {"MLFLOW_TRACKING_TOKEN": TOKEN}
        packed = run_flow("package", "tiny", **where, env=by_token)

    assert refused.returncode == 1
    (sentence,) = [line for line in refused.stderr.splitlines() if line.strip()]
    assert sentence.startswith("error: MLflow (MLFLOW_TRACKING_URI): it refuses this user")
    assert tries == 1
    assert done.returncode == packed.returncode == 0, done.stderr + packed.stderr
    assert len(guard.refused) == tries
    assert any("registered-models/alias" in each for each in guard.passed)
    summary = json.loads((home / "runs" / "pipeline-tiny-latest.json").read_text())
    assert summary["promotion"]["verdict"] == "promoted"
    assert Path(summary["bento"]["path"]).is_dir()
    told = [each.stdout + each.stderr for each in (refused, done, packed)]
    told += [path.read_text("latin-1") for path in home.rglob("*") if path.is_file()]
    assert [text[:200] for text in told if PASSWORD in text or TOKEN in text] == []


@pytest.mark.system
def test_nothing_of_such_a_server_is_left_behind(tmp_path: Path) -> None:
    """MLflow's command starts another process, which answers."""
    with guarded_mlflow(tmp_path) as guard:
        answered = httpx.get(f"{guard.target}/health").status_code

    assert answered == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{guard.target}/health")


@pytest.mark.parametrize(
    "refusal",
    [
        b"unauthorized",
        as_json(message="Unauthorized"),
        as_json(error_code="PERMISSION_DENIED", message="Permission denied"),
    ],
)
def test_who_is_refused_is_told_so_at_once(refusal: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", USER)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", f"not-{PASSWORD}")

    @io(name="ask")
    def ask(url: str) -> None:
        MlflowClient(url).search_experiments()

    with guarding("http://127.0.0.1:1") as guard:
        guard.refusal = refusal
        with pytest.raises(SettingsError) as raised:
            ask.fn(guard.url)

    assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in str(raised.value)
    assert PASSWORD not in str(raised.value)
    assert len(guard.refused) == 1
