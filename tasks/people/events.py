"""Prefect events: doorbells that tell a running server that something was decided.

What was decided is a row in the database; an event that is lost is rung again by the sweep.
"""

from collections.abc import Mapping
from typing import Any

from tasks.people.notifications import notify
from tasks.progress import tell

LABELS_COUNTED = "driftline.labels.counted"
DRIFT_RETRAIN = "driftline.drift.retrain"
DRIFT_NEED_LABELS = "driftline.drift.need_labels"
DRIFT_QUARANTINE = "driftline.drift.quarantine"
MODEL_PROMOTED = "driftline.model.promoted"
MODEL_REJECTED = "driftline.model.rejected"
MODEL_WAITING = "driftline.model.waiting"
MODEL_ROLLED_BACK = "driftline.model.rolled_back"
LOG_DAMAGED = "driftline.log.damaged"
TRIAL_STARTED = "driftline.trial.started"
TRIAL_ENDED = "driftline.trial.ended"


def ring(event: str, problem: str, payload: Mapping[str, Any]) -> None:
    """Emit an event about a problem."""
    from prefect.events import emit_event

    resource = {
        "prefect.resource.id": f"driftline.problem.{problem}",
        "prefect.resource.name": problem,
    }
    notify(event, problem, payload)
    emit_event(event=event, resource=resource, payload=dict(payload))
    tell(f"event {event}")
