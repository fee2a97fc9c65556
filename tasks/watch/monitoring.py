"""Judges what inputs and labels show of a champion, as a visible step of a run."""

from driftline.evidence import Labels, weigh
from driftline.findings import Inputs
from driftline.problem import Problem
from driftline.served import ServedModel
from driftline.verdicts import DriftDecision, Evidence, close_look, decide_verdict
from tasks.decorators import work
from tasks.progress import tell


@work(name="judge")
def judge(
    inputs: Inputs, labels: Labels, problem: Problem, served: ServedModel
) -> tuple[DriftDecision, Evidence]:
    """The verdict on the evidence, and the evidence as the next look will find it."""
    evidence = weigh(inputs, labels, problem.drift, champion=served.version)
    decision = decide_verdict(evidence, problem.drift)
    tell(f"{decision.verdict}: {'; '.join(decision.reasons[:3])}")
    return decision, close_look(decision, evidence, problem.drift)
