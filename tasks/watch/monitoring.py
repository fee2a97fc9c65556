"""Judges what inputs and labels show of a champion, as a visible step of a run."""

from driftline.closing import close_look
from driftline.evidence import Labels, weigh
from driftline.findings import Inputs
from driftline.problem import Problem
from driftline.served import ServedModel
from driftline.verdicts import DriftDecision, Evidence, decide_verdict
from tasks.decorators import work
from tasks.progress import tell


@work(name="judge")
def judge(
    inputs: Inputs, labels: Labels, problem: Problem, served: ServedModel, *, journalled: int
) -> tuple[DriftDecision, Evidence]:
    """The verdict on the evidence, and the evidence as the next look will find it.

    `journalled` counts the rows of the journal, which tell that somebody has acted since.
    """
    evidence = weigh(inputs, labels, problem.drift, champion=served.version, journalled=journalled)
    decision = decide_verdict(evidence, problem.drift)
    tell(f"{decision.verdict}: {'; '.join(decision.reasons[:3])}")
    return decision, close_look(decision, evidence, problem.drift)
