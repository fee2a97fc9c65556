"""Sweep: start what was ordered and whose event was lost, and free what a dead run had claimed."""

import time

from flows.running import Sections, driftline_flow
from tasks import deployments, predictions
from tasks.packaging import served_version
from tasks.problems import list_problems, read_problem
from tasks.progress import tell
from tasks.registry import read_holders

RING_AGAIN_SECONDS = 60


@driftline_flow("sweep", run_name="sweep")
def sweep(problem: str | None = None) -> Sections:
    """Look through the orders of a problem, or of all."""
    for name in [problem] if problem else list_problems():
        spec = read_problem(name)
        claimed = predictions.claimed_orders(spec.name)
        for run_id in deployments.ended_runs(claimed):
            tell(f"{spec.name}: run {run_id} ended without finishing its orders; they are open")
            predictions.finish_orders(claimed[run_id], is_done=False)
        for kind, count in predictions.open_orders(spec).items():
            tell(f"{spec.name}: {count} open orders to {kind}")
            start(kind, spec.slug, spec.name, {"only_ordered": True})
        champion = read_holders(spec.name)["champion"]
        served = served_version(spec.name) or ""
        if champion is not None and not served.startswith(f"{spec.name}:v{champion}-"):
            tell(f"{spec.name}: version {champion} is champion and not packaged")
            start("package", spec.slug, spec.name, {})
    return {}


def start(flow: str, slug: str, name: str, parameters: dict[str, object]) -> None:
    """Start a run of a problem's deployment, at most one a minute."""
    minute = int(time.time() // RING_AGAIN_SECONDS)
    deployments.start_deployment(
        f"{flow}/{slug}",
        key=f"{flow}:{name}:{minute}",
        parameters={"problem": name, **parameters},
    )


if __name__ == "__main__":
    from flows.command import run

    run(sweep)
