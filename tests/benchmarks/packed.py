"""What the packed champion weighs, and how soon it answers after a cold start."""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from driftline.problem import parse_problem
from tasks.verify.emulator import NotRunnableError
from tests.benchmarks.model import ROOT
from tests.system.limits import archive_in, ask_once, image
from tests.system.packing import fetch_emulator, forget_image, make_base_image, pack

STARTS = 7


def show_packed(console: Console) -> None:
    """Pack breast cancer's champion as archive and image; print sizes and cold starts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            rie, base_image = fetch_emulator(folder), make_base_image()
        except NotRunnableError as error:
            console.print(f"sizes and cold starts are not measured; this is missing: {error}")
            return
        packed = pack("breast_cancer", _run_flow, base_image, folder / "home", ROOT)
        try:
            runs = {
                "Lambda archive": archive_in(base_image, packed.archive, folder),
                "Lambda image": image(packed.image),
            }
            table = Table(
                "what", "MB", "median s", "longest s", title=f"first answer of {STARTS} cold starts"
            )
            sizes = (packed.archive.stat().st_size / 1e6, packed.megabytes)
            for (what, run), size in zip(runs.items(), sizes, strict=True):
                seconds = [ask_once(run, rie, _example())[1] for _ in range(STARTS)]
                median, longest = statistics.median(seconds), max(seconds)
                table.add_row(what, f"{size:.1f}", f"{median:.2f}", f"{longest:.2f}")
            console.print(table)
            console.print("512 MB, read-only root, AWS's emulator; from the container's start")
        finally:
            forget_image(packed)


def _example() -> dict[str, Any]:
    text = (ROOT / "data/problems/breast_cancer.yaml").read_text(encoding="utf-8")
    return dict(parse_problem(text, name="breast_cancer", file="breast_cancer.yaml").example)


def _run_flow(*words: str, home: Path, project: Path) -> subprocess.CompletedProcess[str]:
    own = {"DRIFTLINE_HOME": str(home), "DRIFTLINE_PROJECT_DIR": str(project)}
    return subprocess.run(
        [sys.executable, "-m", f"flows.{words[0]}", *words[1:]],
        cwd=ROOT,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
