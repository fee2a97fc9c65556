"""Rollback: the previous champion serves again."""

from flows.package import package
from flows.shared.aliases import roll_back
from flows.shared.running import Sections, driftline_flow
from tasks.data.problems import read_problem
from tasks.people.events import MODEL_ROLLED_BACK, ring
from tasks.progress import step


@driftline_flow("rollback", run_name="rollback {problem}")
def rollback(problem: str, why: str = "asked for by hand", actor: str = "rollback") -> Sections:
    """Give the alias back to the champion before this one, and package it for serving."""
    spec = read_problem(problem)
    with step("roll back"):
        holders = roll_back(spec, actor=actor, why=why)
    packaged = package(problem)
    ring(MODEL_ROLLED_BACK, spec.name, {**holders, "why": why})
    promotion = {"verdict": "rolled back", "reasons": [why], **holders}
    return {"promotion": promotion, "model": packaged["model"], "bento": packaged["bento"]}


if __name__ == "__main__":
    from flows.shared.command import run

    run(rollback, ahead=("mlflow",))
