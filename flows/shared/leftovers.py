"""What killed runs have left in MLflow: runs that would be shown as running for ever."""

from driftline.problem import Problem
from tasks.models import unfinished
from tasks.progress import tell
from tasks.server.deployments import ended_runs


def end_left_runs(spec: Problem) -> None:
    """End what trainings began that are over: by Prefect's word, or since their process is gone."""
    left = unfinished.read_unfinished(spec)
    if not left:
        return
    ended = unfinished.end_unfinished(spec, ended_runs(left))
    if ended:
        tell(f"{ended} runs in MLflow were left by killed trainings, and are marked as killed")
