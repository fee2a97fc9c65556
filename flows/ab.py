"""A/B: a registered version answers part of the traffic beside the champion, until it is proved."""

import getpass
from typing import Annotated

from pydantic import Field

from driftline.errors import DriftlineError
from driftline.trial import Limits
from flows.shared.running import Sections, driftline_flow
from flows.shared.trial_start import Terms, start_trial
from flows.shared.trials import judge_trial, stop_trial
from tasks.data.problems import read_problem


@driftline_flow("ab", run_name="ab {problem}")
def ab(
    problem: str,
    version: str | None = None,
    share: Annotated[float, Field(gt=0, lt=1)] = 0.1,
    key: str = "",
    limit_days: Annotated[float, Field(gt=0)] | None = None,
    labels: Annotated[int, Field(ge=1)] | None = None,
    stop: bool = False,
    actor: str = "",
) -> Sections:
    """Begin a trial of `version`, or judge or `stop` the one that is under way.

    `key` is the field that names a subject, who is answered by the same model each time; without
    it the header `X-Driftline-Key` does. Monitoring judges a trial too, and ends it by itself.
    """
    spec = read_problem(problem)
    actor = f"ab {actor.strip() or getpass.getuser()}"
    if stop and version is not None:
        message = "version, stop: got both, wanted a version to begin with or stop to end"
        raise DriftlineError(message)
    if stop:
        return stop_trial(spec, actor=actor)
    if version is not None:
        terms = Terms(share, key, Limits(limit_days, labels))
        return start_trial(spec, version, terms, actor=actor)
    judged = judge_trial(spec, actor=actor)
    if not judged:
        message = f"{spec.name}: no trial is under way, wanted one to judge or a version to begin"
        raise DriftlineError(message)
    return judged


if __name__ == "__main__":
    from flows.shared.command import run

    run(ab, ahead=("mlflow",))
