"""Sweep: start what was ordered and whose event was lost, and finish what dead runs began."""

import time

from prefect.runtime import deployment

from flows.shared.aliases import is_served, settle_aliases
from flows.shared.leftovers import end_left_runs
from flows.shared.running import Sections, driftline_flow, tell_given_up
from tasks.data.problems import list_problems, read_problem
from tasks.log import orders
from tasks.log.attempts import take_given_up
from tasks.models.registry import read_holders
from tasks.progress import tell
from tasks.server import abandoned, deployments

RING_AGAIN_SECONDS = 60
PACKAGING = ("train", "pipeline", "rollback", "package")  # they package what they promote


@driftline_flow("sweep", run_name="sweep")
def sweep(problem: str | None = None) -> Sections:
    """Look through the runs, and the orders and the aliases of a problem or of all."""
    for run in abandoned.end_silent_runs(deployment.id):
        tell(f"{run}: nothing is heard of it, so it is marked as crashed")
    for name in [problem] if problem else list_problems():
        spec = read_problem(name)
        ended = deployments.ended_runs(orders.claiming_runs(spec.name))
        freed = orders.free_orders(spec.name, ended)
        if freed:
            tell(f"{spec.name}: {freed} orders are open again, whose runs ended without them")
        for kind in take_given_up(spec.name):
            tell_given_up(kind, spec.name, "its runs ended without an outcome")
        for kind, count in orders.open_orders(spec).items():
            tell(f"{spec.name}: {count} open orders to {kind}")
            start(kind, spec.slug, spec.name, {"only_ordered": True})
        end_left_runs(spec)
        settle_aliases(spec.name)
        champion = read_holders(spec.name)["champion"]
        if champion is None or is_served(spec.name, champion):
            continue
        if not any(deployments.is_running(f"{flow}/{spec.slug}") for flow in PACKAGING):
            tell(f"{spec.name}: version {champion} is champion and not packaged")
            start("package", spec.slug, spec.name, {})
    return {}


def start(flow: str, slug: str, name: str, parameters: dict[str, object]) -> None:
    """Start a run of a problem's deployment, at most one a minute, and none where one waits."""
    if deployments.is_awaited(f"{flow}/{slug}"):
        tell(f"{flow} {name}: a run waits to begin already")
        return
    minute = int(time.time() // RING_AGAIN_SECONDS)
    deployments.start_deployment(
        f"{flow}/{slug}",
        key=f"{flow}:{name}:{minute}",
        parameters={"problem": name, **parameters},
    )


if __name__ == "__main__":
    from flows.shared.command import run

    run(sweep)
