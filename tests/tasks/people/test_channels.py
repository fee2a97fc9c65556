"""Settings of the channels: those that can work are read, the others are named and never shown."""

import logging

import pytest

from tasks.people.channels import (
    ChannelError,
    Mail,
    Topic,
    Webhook,
    check_channels,
    read_mail,
    read_topic,
)
from tasks.people.notifications import FLOW_FAILED, notify
from tests.ports import free_ports

TOPIC = "arn:aws:sns:eu-central-1:123456789012:driftline"
SECRET = "T0P-SECRET"  # noqa: S105 - of these tests only
WRONG = {
    "scheme": ("DRIFTLINE_NOTIFY_WEBHOOK", f"ftp://hooks.example/{SECRET}", "http:// or https://"),
    "no scheme": ("DRIFTLINE_NOTIFY_WEBHOOK", f"hooks.example/{SECRET}", "http:// or https://"),
    "no host": ("DRIFTLINE_NOTIFY_WEBHOOK", f"https:///{SECRET}", "http:// or https://"),
    "not an address": ("DRIFTLINE_NOTIFY_EMAIL", "ward", "addresses, by commas"),
    "an empty address": ("DRIFTLINE_NOTIFY_EMAIL", "a@b.example,", "addresses, by commas"),
    "port": ("DRIFTLINE_SMTP", f"mail.example:{SECRET}", "host:port"),
    "URL": ("DRIFTLINE_SMTP", f"smtp://me:{SECRET}@mail.example:25", "host:port"),
    "user alone": ("DRIFTLINE_SMTP_USER", SECRET, "both or none"),
    "not an ARN": ("DRIFTLINE_NOTIFY_SNS_TOPIC", "driftline", "an ARN"),
    "a queue": ("DRIFTLINE_NOTIFY_SNS_TOPIC", TOPIC.replace("sns", "sqs"), "an ARN"),
}


@pytest.mark.parametrize(("name", "value", "wanted"), WRONG.values(), ids=WRONG)
def test_a_setting_that_cannot_work_is_named_and_not_shown(
    name: str,
    value: str,
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("DRIFTLINE_NOTIFY_EMAIL", "ward@example.org")
    monkeypatch.setenv("DRIFTLINE_SMTP", f"localhost:{free_ports(1)[0]}")
    monkeypatch.setenv(name, value)

    with pytest.raises(ChannelError) as raised:
        check_channels()
    notify(FLOW_FAILED, "tiny", {"reasons": []})

    assert name in str(raised.value)
    assert wanted in str(raised.value)
    assert str(raised.value) in caplog.text
    assert SECRET not in caplog.text


def test_settings_that_can_work_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", "https://hooks.example/services/1")
    monkeypatch.setenv("DRIFTLINE_NOTIFY_EMAIL", "ward@example.org, lab@example.org")
    monkeypatch.setenv("DRIFTLINE_SMTP", "mail.example.org:587")
    monkeypatch.setenv("DRIFTLINE_NOTIFY_SNS_TOPIC", TOPIC)

    check_channels()

    recipients = "ward@example.org, lab@example.org"
    assert read_mail() == Mail("mail.example.org", 587, "driftline@localhost", recipients)
    assert read_topic() == Topic(TOPIC)


def test_a_channel_does_not_show_its_secret() -> None:
    shown = repr(Webhook(f"https://hooks.example/{SECRET}"))
    shown += repr(Mail("mail.example", 25, "a@b", "c@d", "me", SECRET))

    assert SECRET not in shown
