"""Has the worker run the main job of each problem that has no champion to serve yet.

`python -m deployments.first breast_cancer,diabetes`, before services that start with the system.
"""

import sys

import flows  # noqa: F401 - points the tools at the state folder
from deployments.local.main_job import run_main_job
from deployments.local.parts import tell
from driftline.errors import DriftlineError
from tasks.shipping.packaging import served_tag


def main() -> int:
    """The main jobs one after the other; exit 1 where one comes to no champion."""
    names = sys.argv[1].replace("-", "_").split(",") if len(sys.argv) > 1 else []
    if not names:
        sys.stderr.write("error: got no problem, wanted names of problems, by commas\n")
        return 1
    for name in names:
        if served_tag(name) is not None:
            tell(f"{name}: has a champion")
            continue
        try:
            run_main_job(name)
        except DriftlineError as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
        if served_tag(name) is None:
            sys.stderr.write(f"error: {name}: the main job ended without a champion\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
