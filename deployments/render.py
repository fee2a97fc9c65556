"""Writes `prefect.yaml` from the problem files: every deployment, for `prefect deploy --all`.

`python -m deployments.render` (`make deployments`) after each change of a problem's name or `loop`;
with `--check` it writes nothing, and exits 1 where the file says something else.
"""

import argparse
import sys
from pathlib import Path

from deployments.manifest import declare_problem, declare_sweep, render_manifest
from driftline.errors import DriftlineError
from tasks.data.problems import list_problems, read_problem
from tasks.decorators import without_task_runs
from tasks.settings import get_settings

HEADER = """\
# Written by `make deployments` from data/problems/*.yaml, where `loop` sets schedules and limits.
# After `prefect deploy --all`, e.g. `prefect deployment run train/breast-cancer`.
# A worker starts in the project's folder: prefect worker start --pool driftline
# `make up` does all of it, and leaves paused what somebody has paused.
"""


def render() -> str:
    """What the file has to say of the problems that are described."""
    with without_task_runs():
        problems = [read_problem(name) for name in list_problems()]
    declared = [declare_sweep()]
    for problem in problems:
        declared += declare_problem(problem)
    return render_manifest(declared, header=HEADER)


def main() -> int:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description="Write prefect.yaml from the problem files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if it is stale")
    path = get_settings().project_dir / "prefect.yaml"
    is_check = parser.parse_args().check
    try:
        text = render()
    except DriftlineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if not is_check:
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")
        return 0
    if not _says(path, text):
        sys.stderr.write(f"error: {path}: stale; wanted what `make deployments` writes\n")
        return 1
    return 0


def _says(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
