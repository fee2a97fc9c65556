"""What a sweep does: one look at each problem, and a run only where there is work for it.

It is no run of Prefect's itself, so that it may be done each minute without burying those that are.
What is wrong with one problem is told, once, and keeps nobody from the others.
"""

import time
from collections.abc import Iterable
from datetime import timedelta

from driftline.errors import DriftlineError
from driftline.problem import Problem
from flows.shared.aliases import is_served, settle_aliases
from flows.shared.leftovers import end_left_runs
from flows.shared.running import tell_cancelled, tell_given_up
from tasks.data.problems import read_problem
from tasks.decorators import may_pass, without_task_runs
from tasks.log import orders
from tasks.log.attempts import give_up, give_up_before, newest_failures, take_given_up
from tasks.models.registry import read_holders
from tasks.progress import tell
from tasks.reaching import is_prefect_away
from tasks.server import deployments, heartbeat
from tasks.shipping.trials import give_traffic_back

RING_AGAIN_SECONDS = 60
PACKAGING = ("train", "pipeline", "rollback", "package")  # they package what they promote


def sweep_problems(names: Iterable[str], *, next_within: timedelta | None) -> None:
    """Look after each problem; the next sweep is due within so long, if it is known to come.

    Where Prefect's server is away nobody can be looked after, and no sweep is recorded.
    """
    failures = {}
    for name in names:
        try:
            sweep_problem(name)
        except Exception as error:
            if is_prefect_away(error):
                raise
            failures[name] = _explain(error)
            tell(f"{name}: not looked after: {failures[name].why}")
    heartbeat.record_sweep(failures, next_within=next_within)


def sweep_problem(name: str) -> None:
    """Finish what dead runs began, and start what was ordered and whose event was lost.

    Runs are started last: a deployment that somebody has deleted keeps nothing else from it.
    """
    with without_task_runs():
        spec = read_problem(name)
        _settle_orders(spec)
        end_left_runs(spec)
        settle_aliases(spec.name)
        holders = read_holders(spec.name)
        if holders["contender"] is None:
            give_traffic_back(spec)  # a run that ended a trial may have died before that
        _package(spec, holders["champion"])
        for kind, count in orders.open_orders(spec).items():
            if kind in spec.loop.starts_at_once:
                tell(f"{spec.name}: {count} open orders to {kind}")
                _start(kind, spec.slug, spec.name, {"only_ordered": True})


def _settle_orders(spec: Problem) -> None:
    """Open again what ended runs had claimed; what is given up, or was cancelled, is told once."""
    ended = deployments.ended_runs(orders.claiming_runs(spec.name))
    freed = orders.free_orders(spec.name, ended)
    if freed:
        tell(f"{spec.name}: {freed} orders are open again, whose runs ended without them")
    for kind in take_given_up(spec.name):
        tell_given_up(kind, spec.name, "its runs ended without an outcome")
    cancelled = deployments.cancelled_runs(newest_failures(spec.name))
    given_up = set(give_up(spec.name, cancelled))
    for kind in orders.open_orders(spec):
        unbegun = deployments.cancelled_unbegun(f"{kind}/{spec.slug}")
        if unbegun is not None and give_up_before(spec.name, kind, unbegun):
            given_up.add(kind)
    for kind in sorted(given_up):
        tell_cancelled(kind, spec.name)


def _package(spec: Problem, champion: str | None) -> None:
    """Have the champion packaged where that was cut off, and no run does it."""
    if champion is None or is_served(spec.name, champion):
        return
    if not any(deployments.is_running(f"{flow}/{spec.slug}") for flow in PACKAGING):
        tell(f"{spec.name}: version {champion} is champion and not packaged")
        _start("package", spec.slug, spec.name, {})


def _start(flow: str, slug: str, name: str, parameters: dict[str, object]) -> None:
    """Start a run of a problem's deployment, at most one a minute, and none where one waits."""
    paused = deployments.find_pause(f"{flow}/{slug}")
    if paused is not None:
        tell(f"{flow} {name}: {paused} is paused")
        return
    if deployments.is_awaited(f"{flow}/{slug}"):
        tell(f"{flow} {name}: a run waits to begin already")
        return
    minute = int(time.time() // RING_AGAIN_SECONDS)
    deployments.start_deployment(
        f"{flow}/{slug}",
        key=f"{flow}:{name}:{minute}",
        parameters={"problem": name, **parameters},
    )


def _explain(error: Exception) -> heartbeat.Failure:
    """Our own words, or the kind of an unforeseen error, whose words may hold values of rows."""
    why = str(error) if isinstance(error, DriftlineError) else type(error).__name__
    is_of_http = any(kind.__module__.split(".")[0] == "httpx" for kind in type(error).__mro__)
    return heartbeat.Failure(why, may_pass=is_of_http or may_pass(error))
