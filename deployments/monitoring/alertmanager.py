"""Alertmanager's file: who is told what, over the channels that the environment sets.

Secrets stand in files of their own beside it, never in it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from deployments.monitoring.alert import Pace
from tasks.people.channels import (
    ChannelError,
    Mail,
    Topic,
    Webhook,
    read_mail,
    read_topic,
    read_webhook,
)

PEOPLE: Final = "people"
WAIT_SECONDS, GROUP_SECONDS = 30, 300
SLACK_URL, TOKEN, PASSWORD = "slack_url", "webhook_token", "smtp_password"

TITLE: Final = (
    "{{ .Status | toUpper }} {{ .CommonLabels.alertname }}"
    "{{ with .CommonLabels.problem }} ({{ . }}){{ end }}"
)
TEXT: Final = (
    "{{ range .Alerts }}{{ .Annotations.summary }}. {{ .Annotations.description }} "
    "What to do: {{ .Annotations.runbook_url }}\n{{ end }}"
)


@dataclass(frozen=True)
class Hook:
    """A URL that takes Alertmanager's own JSON, and the token that it wants, if any."""

    url: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Channels:
    """The ways to people that are set; with none, alerts are seen on the pages only."""

    slack: Webhook | None = None
    hook: Hook | None = None
    mail: Mail | None = None
    topic: Topic | None = None

    @property
    def secrets(self) -> dict[str, str]:
        """What stands in files of their own, by name."""
        held = {
            SLACK_URL: self.slack.url if self.slack else "",
            TOKEN: self.hook.token if self.hook else "",
            PASSWORD: self.mail.password if self.mail else "",
        }
        return {name: secret for name, secret in held.items() if secret}


def read_channels() -> Channels:
    """The channels of the environment; `ChannelError` names a setting that cannot work."""
    return Channels(read_webhook(), read_hook(), read_mail(), read_topic())


def read_hook() -> Hook | None:
    """The webhook for Alertmanager's own JSON that is set, if one is."""
    url = os.environ.get("DRIFTLINE_ALERT_WEBHOOK", "").strip()
    token = os.environ.get("DRIFTLINE_ALERT_WEBHOOK_TOKEN", "").strip()
    if not url:
        return None
    parts = urlsplit(url)
    is_plain = not (parts.username or parts.password or parts.query)
    if parts.scheme not in {"http", "https"} or not parts.netloc or not is_plain:
        message = (
            "DRIFTLINE_ALERT_WEBHOOK: got something else, wanted an http:// or https:// URL "
            "without user and query; a secret goes into DRIFTLINE_ALERT_WEBHOOK_TOKEN"
        )
        raise ChannelError(message)
    return Hook(url, token)


def describe_alertmanager(channels: Channels, pace: Pace, *, secrets: str) -> dict[str, Any]:
    """The content of `alertmanager.yml`; `secrets` is the folder of the secrets' files."""
    wait, group = (max(1, round(each * pace.hold)) for each in (WAIT_SECONDS, GROUP_SECONDS))
    route: dict[str, Any] = {
        "receiver": PEOPLE,
        "group_by": ["alertname", "problem"],
        "group_wait": f"{wait}s",
        "group_interval": f"{group}s",
        "repeat_interval": "4h",
        "routes": [
            {"matchers": ['severity="info"'], "receiver": PEOPLE, "repeat_interval": "24h"},
        ],
    }
    return {"route": route, "receivers": [{"name": PEOPLE, **_configs(channels, secrets)}]}


def _configs(channels: Channels, secrets: str) -> Mapping[str, Any]:
    configs: dict[str, Any] = {}
    if channels.slack:
        slack = {"api_url_file": f"{secrets}/{SLACK_URL}", "title": TITLE, "text": TEXT}
        configs["slack_configs"] = [slack | {"send_resolved": True}]
    if channels.hook:
        login = {"authorization": {"credentials_file": f"{secrets}/{TOKEN}"}}
        hook = {"url": channels.hook.url, "send_resolved": True}
        configs["webhook_configs"] = [
            hook | ({"http_config": login} if channels.hook.token else {})
        ]
    if channels.mail:
        configs["email_configs"] = [_mail(channels.mail, secrets)]
    if channels.topic:
        configs["sns_configs"] = [_topic(channels.topic)]
    return configs


def _mail(mail: Mail, secrets: str) -> dict[str, Any]:
    """A login is sent over verified TLS only."""
    config: dict[str, Any] = {
        "to": mail.recipients,
        "from": mail.sender,
        "smarthost": f"{mail.host}:{mail.port}",
        "require_tls": bool(mail.user),
        "headers": {"Subject": TITLE},
        "html": "",
        "text": TEXT,
        "send_resolved": True,
    }
    if mail.user:
        login = {"auth_username": mail.user, "auth_password_file": f"{secrets}/{PASSWORD}"}
        return config | login
    return config


def _topic(topic: Topic) -> dict[str, Any]:
    """AWS's own variables give the credentials, and `AWS_ENDPOINT_URL` another address."""
    config: dict[str, Any] = {
        "topic_arn": topic.arn,
        "sigv4": {"region": topic.arn.split(":")[3]},
        "subject": TITLE,
        "message": TEXT,
        "send_resolved": True,
    }
    endpoint = os.environ.get("AWS_ENDPOINT_URL_SNS") or os.environ.get("AWS_ENDPOINT_URL")
    return config | ({"api_url": endpoint} if endpoint else {})
