"""Prometheus' and Alertmanager's own tools, as Debian has them."""

import shutil
import subprocess
from pathlib import Path

from tests.support import lacking

PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}


def find(program: str) -> str:
    """Where a program is; the test is skipped where its package is not installed."""
    found = shutil.which(program)
    if found is None:
        lacking(f"{program} (Debian's package {PACKAGES[program]})")
    return str(found)


def run(program: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One of the tools, in a folder."""
    return subprocess.run(
        [find(program), *words], cwd=folder, capture_output=True, text=True, check=False
    )
