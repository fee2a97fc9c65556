"""Deploys every flow of every problem to the Prefect server that `PREFECT_API_URL` names.

`python -m deployments.deploy` does what `prefect deploy --all` does with `prefect.yaml`, and more:
what a person has paused stays paused, a schedule that is declared no more goes, a problem file that
is wrong keeps nobody from the others, and the problems may be those of `DRIFTLINE_PROJECT_DIR`.
"""

import os
import subprocess
import sys

import flows  # noqa: F401 - points the tools at the state folder
from deployments.local.parts import ROOT, PartError, tell
from deployments.manifest import (
    POOL,
    SWEEP,
    SWEEP_CRON,
    TAG,
    Declared,
    declare_problem,
    declare_sweep,
    render_manifest,
)
from driftline.errors import DriftlineError, ProblemError
from driftline.problem import Problem
from tasks.data.problems import list_problems, read_problem
from tasks.decorators import without_task_runs
from tasks.server.deploying import (
    delete_deployment,
    drop_schedules,
    has_pool,
    read_pauses,
)
from tasks.settings import get_settings

HEADER = "# Written and deployed by `python -m deployments.deploy`; here for you to look at.\n"
OUTDATED = ("sweep/every-minute",)  # what earlier versions deployed
MAY_HAVE_SCHEDULES = ("pipeline", "train", "monitor")


def deploy(sweep_cron: str | None = SWEEP_CRON) -> None:
    """Deploy all; without a cron the sweep has no schedule, since something else sweeps."""
    problems = _read_problems()
    if not has_pool(POOL):
        _prefect("work-pool", "create", POOL, "--type", "process")
    pauses = read_pauses(TAG)
    declared = [declare_sweep(sweep_cron, pauses)]
    for problem in problems:
        declared += declare_problem(problem, pauses)
    path = get_settings().home.absolute() / "prefect.yaml"
    path.write_text(render_manifest(declared, header=HEADER), encoding="utf-8")
    _prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(path))
    drop_schedules(name for name in map(_unscheduled, declared) if name)
    for name in OUTDATED:
        delete_deployment(name)
    names = ", ".join(problem.name for problem in problems) or "no problem"
    tell(f"deployed {len(declared)} flows: of {names}, and {SWEEP}")
    for name in sorted(pauses.deployments | pauses.schedules | pauses.triggers):
        tell(f"{name}: somebody paused it, and it stays so")


def _read_problems() -> list[Problem]:
    """All that can be read; what is wrong with the others is told."""
    found = []
    with without_task_runs():
        for name in list_problems():
            try:
                found.append(read_problem(name))
            except ProblemError as error:
                tell(f"{name}: not deployed: {error}")
    return found


def _unscheduled(one: Declared) -> str | None:
    """The name of a deployment that could have a schedule, and is declared to have none."""
    flow = one["entrypoint"].rpartition(".")[2]
    may_have = flow in MAY_HAVE_SCHEDULES or flow == SWEEP.partition("/")[0]
    return f"{flow}/{one['name']}" if may_have and "schedules" not in one else None


def _prefect(*words: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "prefect", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        last = (done.stdout + done.stderr).decode(errors="replace").strip()[-600:]
        message = f"prefect {' '.join(words)} ended with {done.returncode}: {last}"
        raise PartError(message)


def main() -> int:
    """Deploy, and say what went wrong in a sentence."""
    if not os.environ.get("PREFECT_API_URL"):
        sys.stderr.write("error: PREFECT_API_URL: missing; wanted the address of a server's API\n")
        return 1
    try:
        deploy()
    except DriftlineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
