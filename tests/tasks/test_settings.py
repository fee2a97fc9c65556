import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DRIFTLINE_HOME", "/dev/null/state", "/dev/null/state: cannot be written (Not a dir"),
        ("DRIFTLINE_HOME", "/srv/why?", "DRIFTLINE_HOME: got /srv/why?, wanted a path without"),
        ("DRIFTLINE_PATIENCE_SECONDS", "long", "DRIFTLINE_PATIENCE_SECONDS: Input should be"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_sentence_at_the_start(
    name: str, value: str, told: str, tmp_path: Path
) -> None:
    environment = os.environ | {"DRIFTLINE_HOME": str(tmp_path), name: value}
    environment.pop("PREFECT_HOME", None)

    done = subprocess.run(
        [sys.executable, "-c", "import flows"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {told}")
    assert done.stderr.count("\n") == 1
