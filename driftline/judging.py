"""Which metrics apply to which target: what a problem file may ask of each."""

from collections.abc import Iterable, Sequence

from driftline.goal import Comparison, Gate, Goal, bare_metric
from driftline.losses import CLASS_LOSSES, NUMBER_LOSSES
from driftline.measured import NUMBER_METRICS
from driftline.metrics import BINARY_METRICS, COST, METRICS
from driftline.target import NumberTarget, Target

BINARY = 2


def check_metrics(
    target: Target | NumberTarget,
    goal: Goal,
    gates: Sequence[Gate],
    comparison: Comparison,
    loss: str,
) -> None:
    """Raise `ValueError` where goal, gates, comparison or loss ask what the target has not."""
    if isinstance(target, NumberTarget):
        _check_number(goal, gates, comparison, loss)
    else:
        _check_classes(len(target.classes), goal, gates, comparison, loss)


def _check_number(goal: Goal, gates: Sequence[Gate], comparison: Comparison, loss: str) -> None:
    _refuse_others([("goal", goal.metric), *_metrics_of(gates)], NUMBER_METRICS, "a number")
    for place, gate in enumerate(gates):
        if gate.metric.endswith("_excess_std"):
            message = f"gates.{place}.metric: got {gate.metric!r}, wanted cv_<m>_std for a number"
            raise ValueError(message)
    if goal.subject_to or goal.miss_costs or goal.cost_matrix:
        message = "goal: got subject_to or costs for a number, wanted them with classes"
        raise ValueError(message)
    asked = [("comparison.metric", comparison.metric), ("drift.loss", loss)]
    _refuse_others([(key, name) for key, name in asked if name], NUMBER_LOSSES, "a number")


def _check_classes(
    classes: int, goal: Goal, gates: Sequence[Gate], comparison: Comparison, loss: str
) -> None:
    _refuse_others([("goal", goal.metric), *_metrics_of(gates)], METRICS, "classes")
    _refuse_others([("drift.loss", loss)], CLASS_LOSSES, "classes")
    if comparison.metric in NUMBER_LOSSES:
        message = f"comparison.metric: {comparison.metric} needs target.kind number"
        raise ValueError(message)
    has_costs = goal.miss_costs or goal.cost_matrix
    named = [goal.metric, comparison.metric, *(bare_metric(gate.metric) for gate in gates)]
    if COST in named and not has_costs:
        message = f"{COST}: wanted goal.miss_costs or goal.cost_matrix, which more than two "
        raise ValueError(message + "classes may have")
    if classes == BINARY:
        return
    wanted = [goal.metric, *goal.subject_to, *(bare_metric(gate.metric) for gate in gates)]
    for metric in wanted:
        if metric in BINARY_METRICS:
            message = f"{metric} needs two classes; this target has {classes}"
            raise ValueError(message)
    if comparison.metric in BINARY_METRICS:
        message = (
            f"comparison.metric: {comparison.metric} needs two classes; this target has {classes}"
        )
        raise ValueError(message)
    if goal.subject_to:
        message = "goal.subject_to sets a threshold; wanted it with two classes only"
        raise ValueError(message)


def _metrics_of(gates: Sequence[Gate]) -> list[tuple[str, str]]:
    return [(f"gates.{i}.metric", bare_metric(gate.metric)) for i, gate in enumerate(gates)]


def _refuse_others(asked: Iterable[tuple[str, str]], known: Sequence[str], what: str) -> None:
    for key, name in asked:
        if name not in known:
            message = f"{key}: got {name!r}, wanted one of {', '.join(known)} for {what}"
            raise ValueError(message)
