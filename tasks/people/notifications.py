"""Tells people, by webhook, e-mail and AWS SNS, what happened, why, and where to look.

Configured by the environment; without configuration it is in the log and the Prefect UI alone. A
message that cannot be sent is told in the log and fails nothing. It holds no values of rows.
"""

from collections.abc import Mapping
from typing import Any

from prefect.runtime import flow_run
from prefect.settings import get_current_settings

from tasks.people.channels import READERS, ChannelError
from tasks.progress import tell

FLOW_FAILED = "driftline.flow.failed"
SWEEP_FAILED = "driftline.sweep.failed"
SWEEP_STOPPED = "driftline.sweep.stopped"
TITLES = {
    "driftline.model.promoted": "a new model took over",
    "driftline.model.rejected": "a new model was rejected",
    "driftline.model.waiting": "a change of the model waits for a person",
    "driftline.model.rolled_back": "the model was rolled back",
    "driftline.trial.started": "another model answers part of the traffic, beside the champion",
    "driftline.trial.ended": "a trial of another model has ended",
    "driftline.drift.need_labels": "labels are needed to tell whether the model does harm",
    "driftline.drift.quarantine": "the data is broken; nothing is trained on it",
    "driftline.drift.retrain": "the model does harm; training starts",
    "driftline.log.damaged": "part of the prediction log cannot be read, and is left out",
    FLOW_FAILED: "a run failed",
    SWEEP_FAILED: "the problem cannot be looked after; the others are",
    SWEEP_STOPPED: "nobody looks any more for what was lost or left undone",
}


def notify(event: str, problem: str, payload: Mapping[str, Any], *, run_id: str = "") -> None:
    """Send what happened in this run, or the one named, to every channel that is configured."""
    if event not in TITLES:
        return
    subject = f"Driftline, {problem or 'all problems'}: {TITLES[event]}"
    body = "\n".join([*describe(payload), point_to(run_id or str(flow_run.id or ""))])
    for name, read in READERS.items():
        try:
            channel = read()
            if channel is not None:
                channel.send(subject, body)
        except Exception as error:  # noqa: BLE001 - a channel that is down fails no run
            tell(f"could not notify by {name}: {_explain(error)}")


def describe(payload: Mapping[str, Any]) -> list[str]:
    """The payload as lines, reasons first."""
    reasons = [f"- {reason}" for reason in payload.get("reasons", ())]
    return reasons + [f"{key}: {value}" for key, value in payload.items() if key != "reasons"]


def point_to(run_id: str) -> str:
    """Where to look further."""
    pages = get_current_settings().ui_url
    if not pages:
        about = f"run {run_id} in " if run_id else ""
        return f"look at {about}Prefect's pages (make prefect)"
    return f"look at {pages.rstrip('/')}/runs" + (f"/flow-run/{run_id}" if run_id else "")


def _explain(error: Exception) -> str:
    """What went wrong, without the address or the server's words: they may hold a secret."""
    if isinstance(error, ChannelError):
        return str(error)
    status = getattr(error, "code", None) or getattr(error, "smtp_code", None)
    return f"{type(error).__name__}{f' {status}' if status else ''}"
