"""The make targets that need no environment do what they say."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.support import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))


def make(folder: Path, target: str, **env: str) -> str:
    """What a target says in a folder that holds the Makefile alone."""
    shutil.copy(ROOT / "Makefile", folder)
    words = ["make", "-s", "-C", str(folder), target]
    clean = {k: v for k, v in os.environ.items() if k != "DRIFTLINE_HOME"}
    return subprocess.run(
        words, env=clean | env, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_help_tells_every_target(tmp_path: Path) -> None:
    told = {line.split()[0] for line in make(tmp_path, "help").splitlines()}

    assert told == TARGETS
    assert set(re.findall(r"[a-z-]+", MAKEFILE.split(".PHONY:")[1].splitlines()[0])) == TARGETS


def test_clean_removes_the_state_and_nothing_beside_it(tmp_path: Path) -> None:
    for folder in (".driftline", "elsewhere", "data"):
        (tmp_path / folder).mkdir()

    make(tmp_path, "clean")
    left_by_default = sorted(path.name for path in tmp_path.iterdir())
    make(tmp_path, "clean", DRIFTLINE_HOME=str(tmp_path / "elsewhere"))

    assert left_by_default == ["Makefile", "data", "elsewhere"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "data"]
