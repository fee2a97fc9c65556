"""Ways to reach people: a Slack-compatible webhook, e-mail, AWS SNS; each set by the environment.

A setting that cannot work is an error that names it. Settings may hold secrets, so no error and no
representation shows one.
"""

import html
import json
import os
import re
import smtplib
import ssl
import urllib.request
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import urlsplit

from driftline.errors import DriftlineError

SEND_SECONDS = 10
SUBJECT_CHARACTERS = 99  # SNS takes no more
ARN = re.compile(r"arn:[\w-]+:sns:[\w-]+:\d+:[\w-]+")


class ChannelError(DriftlineError):
    """A channel is set in a way that cannot work; the message does not show the value."""


@dataclass(frozen=True)
class Webhook:
    """A URL that takes Slack's `{"text": ...}`; whoever knows it may write there."""

    url: str = field(repr=False)

    def send(self, subject: str, body: str) -> None:
        """Post the message."""
        text = html.escape(f"*{subject}*\n{body}", quote=False)  # as Slack wants < > and &
        request = urllib.request.Request(  # noqa: S310 - http or https, checked where it is read
            self.url,
            data=json.dumps({"text": text}).encode(),
            headers={"content-type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=SEND_SECONDS).close()  # noqa: S310 - as above


@dataclass(frozen=True)
class Mail:
    """A mail server; a login is sent over verified TLS only."""

    host: str
    port: int
    sender: str
    recipients: str
    user: str = ""
    password: str = field(default="", repr=False)

    def send(self, subject: str, body: str) -> None:
        """Send one mail to every recipient."""
        message = EmailMessage()
        message["Subject"] = subject
        message["From"] = self.sender
        message["To"] = self.recipients
        message.set_content(body)
        with smtplib.SMTP(self.host, self.port, timeout=SEND_SECONDS) as server:
            if self.user:
                server.starttls(context=ssl.create_default_context())
                server.login(self.user, self.password)
            server.send_message(message)


@dataclass(frozen=True)
class Topic:
    """An SNS topic, by its ARN."""

    arn: str

    def send(self, subject: str, body: str) -> None:
        """Publish the message, with the credentials that AWS's own variables give."""
        import botocore.session
        from botocore.config import Config

        waits = Config(
            connect_timeout=SEND_SECONDS,
            read_timeout=SEND_SECONDS,
            retries={"total_max_attempts": 1},
        )
        region = self.arn.split(":")[3]
        session = botocore.session.get_session()
        client = session.create_client("sns", region_name=region, config=waits)
        client.publish(TopicArn=self.arn, Subject=subject[:SUBJECT_CHARACTERS], Message=body)


def read_webhook() -> Webhook | None:
    """The webhook that is set, if one is."""
    url = os.environ.get("DRIFTLINE_NOTIFY_WEBHOOK", "").strip()
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        message = "DRIFTLINE_NOTIFY_WEBHOOK: got something else, wanted an http:// or https:// URL"
        raise ChannelError(message)
    return Webhook(url)


def read_mail() -> Mail | None:
    """The mail server and the recipients that are set, if any are."""
    recipients = os.environ.get("DRIFTLINE_NOTIFY_EMAIL", "").strip()
    if not recipients:
        return None
    if not all("@" in each.strip(" @") for each in recipients.split(",")):
        message = "DRIFTLINE_NOTIFY_EMAIL: got something else, wanted addresses, by commas"
        raise ChannelError(message)
    host, _, port = os.environ.get("DRIFTLINE_SMTP", "localhost:25").strip().partition(":")
    port = port or "25"
    if not host or not port.isdecimal():
        message = "DRIFTLINE_SMTP: got something else, wanted host:port, as in mail.example.org:587"
        raise ChannelError(message)
    user = os.environ.get("DRIFTLINE_SMTP_USER", "")
    password = os.environ.get("DRIFTLINE_SMTP_PASSWORD", "")
    if bool(user) != bool(password):
        message = "DRIFTLINE_SMTP_USER, DRIFTLINE_SMTP_PASSWORD: got one, wanted both or none"
        raise ChannelError(message)
    sender = os.environ.get("DRIFTLINE_SMTP_FROM", "driftline@localhost")
    return Mail(host, int(port), sender, recipients, user, password)


def read_topic() -> Topic | None:
    """The SNS topic that is set, if one is."""
    arn = os.environ.get("DRIFTLINE_NOTIFY_SNS_TOPIC", "").strip()
    if not arn:
        return None
    if not ARN.fullmatch(arn):
        message = (
            "DRIFTLINE_NOTIFY_SNS_TOPIC: got something else, wanted an ARN, as in "
            "arn:aws:sns:eu-central-1:123456789012:driftline"
        )
        raise ChannelError(message)
    return Topic(arn)


READERS = {"webhook": read_webhook, "e-mail": read_mail, "SNS": read_topic}


def check_channels() -> None:
    """Raise `ChannelError` where a channel is set in a way that cannot work."""
    for read in READERS.values():
        read()
