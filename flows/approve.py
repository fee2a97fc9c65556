"""Approve: a person agrees that the model that passed its gate takes over."""

import getpass

from flows.evidence import write_card
from flows.package import package
from flows.shared import approving
from flows.shared.aliases import read_promoted
from flows.shared.running import Sections, driftline_flow
from tasks.data.problems import read_problem
from tasks.people.events import MODEL_PROMOTED, ring
from tasks.progress import step


@driftline_flow("approve", run_name="approve {problem}")
def approve(problem: str, actor: str = "") -> Sections:
    """Give the champion's alias to the challenger that waits, and package it for serving.

    `actor` is the person who agrees; by default the one who runs this.
    """
    spec = read_problem(problem)
    actor = actor.strip() or getpass.getuser()
    with step("hand over"):
        holders = approving.approve(spec, actor=f"approve {actor}")
    packaged = package(problem)
    card = write_card(spec, read_promoted(spec))
    reasons = [f"{actor} agreed"]
    ring(MODEL_PROMOTED, spec.name, {"version": holders["champion"], "reasons": reasons})
    promotion = {"verdict": "promoted", "reasons": reasons, **holders}
    sections = {"promotion": promotion, "evidence": {"card": card.link}}
    return sections | {key: packaged[key] for key in ("model", "bento")}


if __name__ == "__main__":
    from flows.shared.command import run

    run(approve, ahead=("mlflow",))
