"""Has the worker run the main job of each problem that has no champion to serve yet.

`python -m deployments.first breast_cancer,diabetes`, before services that start with the system.
"""

import subprocess
import sys

import flows  # noqa: F401 - points the tools at the state folder
from deployments.local.parts import ROOT, tell
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
        tell(f"no champion of {name} yet: running the main job first")
        deployment = f"pipeline/{name.replace('_', '-')}"
        words = [sys.executable, "-m", "prefect", "deployment", "run", deployment, "--watch"]
        done = subprocess.run(words, cwd=ROOT, check=False)  # noqa: S603 - our own words
        if done.returncode or served_tag(name) is None:
            sys.stderr.write(f"error: {name}: the main job ended without a champion\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
