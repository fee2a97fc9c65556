"""What a flow's command says before it begins."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT


def test_a_problem_that_is_not_there_is_told_before_a_server_is_started(tmp_path: Path) -> None:
    """Prefect's own takes longer to start than anyone waits for a misspelt name."""
    names = ("PREFECT_API_URL", "PREFECT_HOME", "DRIFTLINE_PROJECT_DIR")
    environment = {name: os.environ[name] for name in os.environ if name not in names}

    done = subprocess.run(
        [sys.executable, "-m", "flows.train", "breast_canser"],
        cwd=ROOT,
        env=environment | {"DRIFTLINE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("error: problem: got 'breast_canser', wanted one of: breast_ca")
    assert list(tmp_path.rglob("*.db")) == []


def test_a_name_of_bytes_that_are_no_utf8_is_told(tmp_path: Path) -> None:
    environment = os.environ | {"DRIFTLINE_HOME": str(tmp_path)}
    environment.pop("DRIFTLINE_PROJECT_DIR", None)
    words = [sys.executable, "-m", "flows.label", "breast_cancer", "--source", b"caf\xe9.csv"]

    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr == (
        "error: source: got 'caf\\udce9.csv', wanted text in UTF-8 without NUL characters\n"
    )
