"""From a table that nobody described to an answer, through the real command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bentos.predictor import load_predictor
from tests.conftest import RunFlow
from tests.support import ROOT

pytestmark = pytest.mark.system


def write_table(path: Path, rows: int = 400) -> None:
    """As a European spreadsheet saves it, with a title, an id, and words for yes and no."""
    rng = np.random.default_rng(0)
    outcome = rng.integers(0, 2, rows)
    level = np.round(rng.normal(outcome * 1.5, 1.0), 2)
    table = pd.DataFrame(
        {
            "Patient": [f"P{i:05d}" for i in range(rows)],
            "Alter (Jahre)": rng.integers(18, 90, rows),
            "Größe/Wert": [f"{x:.2f}".replace(".", ",") for x in level],
            "Geschlecht": rng.choice(["m", "w"], rows),
            "Aufnahme": [f"{d:02d}.{m:02d}.2024" for d, m in rng.integers(1, [28, 13], (rows, 2))],
            "Rückfall": np.where(outcome, "ja", "nein"),
        }
    )
    text = "Station 3\n" + table.to_csv(sep=";", index=False)
    path.write_bytes(text.encode("cp1252"))


def test_one_command_makes_a_problem_that_the_main_job_takes(
    run_flow: RunFlow, tmp_path: Path
) -> None:
    source, home, project = tmp_path / "Meine Tabelle.csv", tmp_path / "home", tmp_path / "project"
    write_table(source)

    words = (str(source), "--target", "Rückfall", "--name", "mine")
    done = run_flow("onboard", *words, home=home, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "semicolon, decimal comma, 1 line before the header, cp1252" in done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("read as: ") == 1
    assert "next: check the guesses, then make run PROBLEM=mine" in done.stdout
    written = (project / "data" / "problems" / "mine.yaml").read_text("utf-8")
    assert "{separator: ;, decimal: ',', encoding: cp1252, skip_lines: 1}" in written
    page = (home / "reports" / "onboarding" / "mine.html").read_text("utf-8")
    assert "Alter (Jahre)" in page
    assert "P00001" not in page

    done = run_flow("pipeline", "mine", home=home, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((home / "runs" / "latest.json").read_text("utf-8"))
    assert summary["promotion"]["verdict"] == "promoted"
    told = "semicolon, decimal comma, 1 line before the header, cp1252"
    assert summary["snapshot"]["read_as"] == told
    docs = next((home / "reports" / "validation").glob("mine-*.html")).read_text("utf-8")
    assert f"read as: {told}" in docs
    predictor = load_predictor(next(home.glob("bentoml/bentos/mine/v1-*/src")))
    record = {"Alter (Jahre)": 40, "Größe/Wert": 3.5, "Geschlecht": "w", "Aufnahme": "2024-03-05"}
    assert set(predictor.contract.field_names) == set(record)
    assert predictor.predict([record])[0].label == "ja"

    done = run_flow("score", "mine", home=home, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    (scored,) = home.glob("scores/mine/*/part-*.parquet")
    assert pd.read_parquet(scored)["Aufnahme"].str.fullmatch(r"2024-\d\d-\d\d").all()
    done = run_flow("monitor", "mine", home=home, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((home / "runs" / "latest.json").read_text("utf-8"))
    assert summary["drift"]["verdict"] == "ok"
    assert summary["drift"]["rows"] == 400


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["nowhere.csv", "--target", "y"], "no such file; wanted a table"),
        (["{source}", "--target", "Nothing"], "--target: got 'Nothing', wanted one of its columns"),
    ],
)
def test_a_mistake_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, words: list[str], fault: str
) -> None:
    source = tmp_path / "rows.csv"
    write_table(source, 40)
    told = [word.format(source=source) for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "flows.onboard", *told],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "DRIFTLINE_HOME": str(tmp_path / "home"),
            "DRIFTLINE_PROJECT_DIR": str(tmp_path / "project"),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"error: {told[0]}" in done.stderr or fault in " ".join(done.stderr.split())
    assert fault in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "project").exists()


def test_a_rare_class_is_onboarded_with_as_many_folds_as_it_has_rows_for(
    run_flow: RunFlow, tmp_path: Path
) -> None:
    source = tmp_path / "rare.csv"
    rows = [f"{i},{i % 7},{'rare' if i < 5 else 'usual'}" for i in range(120)]
    source.write_text("\n".join(["number,size,kind", *rows, ""]), encoding="utf-8")

    words = (str(source), "--target", "kind", "--name", "rare")
    done = run_flow("onboard", *words, home=tmp_path / "home", project=tmp_path / "project")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "then python -m flows.pipeline rare --folds 4" in done.stdout
