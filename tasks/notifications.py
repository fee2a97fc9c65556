"""Tells people, by webhook, e-mail and AWS SNS, what happened, why, and where to look.

Configured by the environment; without configuration it is in the log and the Prefect UI alone. A
message that cannot be sent is told in the log and fails nothing. It holds no values of rows.
"""

import json
import os
import smtplib
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from tasks.progress import tell

FLOW_FAILED = "driftline.flow.failed"
SEND_SECONDS = 10
TITLES = {
    "driftline.model.promoted": "a new model took over",
    "driftline.model.rejected": "a new model was rejected",
    "driftline.model.rolled_back": "the model was rolled back",
    "driftline.drift.quarantine": "the data is broken; nothing is trained on it",
    "driftline.drift.retrain": "the model does harm; training starts",
    FLOW_FAILED: "a run failed",
}


def notify(event: str, problem: str, payload: Mapping[str, Any]) -> None:
    """Send what happened to every channel that is configured."""
    if event not in TITLES:
        return
    subject = f"Driftline, {problem or 'all problems'}: {TITLES[event]}"
    body = describe(payload)
    for send in (_send_webhook, _send_email, _send_sns):
        try:
            send(subject, body)
        except Exception as error:  # noqa: BLE001 - a channel that is down fails no run
            channel = send.__name__.removeprefix("_send_")
            tell(f"could not notify by {channel}: {type(error).__name__}")


def describe(payload: Mapping[str, Any]) -> str:
    """The payload as lines: reasons first, then where to look."""
    reasons = [f"- {reason}" for reason in payload.get("reasons", ())]
    rest = [f"{key}: {value}" for key, value in payload.items() if key != "reasons"]
    look = os.environ.get("PREFECT_UI_URL") or os.environ.get("PREFECT_API_URL", "")
    where = [f"look at {look.removesuffix('/api')}/runs"] if look else []
    return "\n".join([*reasons, *rest, *where])


def _send_webhook(subject: str, body: str) -> None:
    url = os.environ.get("DRIFTLINE_NOTIFY_WEBHOOK", "")
    if not url.startswith(("http://", "https://")):
        return
    request = urllib.request.Request(  # noqa: S310 - http or https, checked above
        url,
        data=json.dumps({"text": f"*{subject}*\n{body}"}).encode(),
        headers={"content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=SEND_SECONDS).close()  # noqa: S310


def _send_email(subject: str, body: str) -> None:
    recipients = os.environ.get("DRIFTLINE_NOTIFY_EMAIL", "")
    if not recipients:
        return
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = os.environ.get("DRIFTLINE_SMTP_FROM", "driftline@localhost")
    message["To"] = recipients
    message.set_content(body)
    host, _, port = os.environ.get("DRIFTLINE_SMTP", "localhost:25").partition(":")
    user = os.environ.get("DRIFTLINE_SMTP_USER", "")
    with smtplib.SMTP(host, int(port or 25), timeout=SEND_SECONDS) as server:
        if user:
            server.starttls()
            server.login(user, os.environ.get("DRIFTLINE_SMTP_PASSWORD", ""))
        server.send_message(message)


def _send_sns(subject: str, body: str) -> None:
    topic = os.environ.get("DRIFTLINE_NOTIFY_SNS_TOPIC", "")
    if not topic:
        return
    import botocore.session

    client = botocore.session.get_session().create_client("sns")
    client.publish(TopicArn=topic, Subject=subject[:100], Message=body)
