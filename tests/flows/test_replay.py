"""A history through the real command line: what it tells, what it leaves, and that it resumes."""

import json
from pathlib import Path

import pytest

from tests.conftest import RunFlow
from tests.support import TINY, file_problem, tiny_rows

pytestmark = pytest.mark.system

WORDS = ("replay", "tiny", "--order-by", "when", "--windows", "5")
WORDS += ("--candidate", "logistic_regression")


def test_a_history_is_replayed_and_goes_on_from_the_models_that_are_there(
    run_flow: RunFlow, tmp_path: Path
) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    file_problem(project, "tiny", TINY, title="A <b>tiny</b> problem", gates=[])
    rows = tiny_rows(600)
    rows.loc[300:, "outcome"] = 1 - rows.loc[300:, "outcome"]
    rows.loc[7, "age"] = 500
    shuffled = rows.assign(when=range(600)).sample(frac=1, random_state=0)
    shuffled.to_csv(project / "history.csv", index=False)
    words = (*WORDS, "--source", str(project / "history.csv"))

    first = run_flow(*words, home=home, project=project)

    assert first.returncode == 0, first.stdout + first.stderr
    replay = json.loads((home / "runs" / "latest.json").read_text("utf-8"))["replay"]
    assert (replay["rows"], replay["left_out"], replay["windows"]) == (599, 1, 5)
    names = [policy["name"] for policy in replay["policies"]]
    assert names[:2] == ["never", "every window"]
    assert names[-1] == "driftline"
    assert all(name in first.stdout for name in names)
    page = Path(replay["report"]).read_text("utf-8")
    assert "<b>tiny</b>" not in page
    assert "&lt;b&gt;tiny" in page
    assert page.count("<svg") == 2
    assert 'src="http' not in page
    document = json.loads(Path(replay["document"]).read_text("utf-8"))
    assert len(document["courses"]["driftline"]) == 4

    kept = sorted((home / "replays").rglob("*.npz"))
    before = {path: path.stat().st_mtime_ns for path in kept}
    kept[2].unlink()
    again = run_flow(*words, "--label-delay", "1", home=home, project=project)

    assert again.returncode == 0, again.stdout + again.stderr
    assert "4 of 5 models were made before" in again.stdout
    after = {path: path.stat().st_mtime_ns for path in (home / "replays").rglob("*.npz")}
    assert set(after) == set(before)
    assert {path for path in after if after[path] != before[path]} == {kept[2]}
