"""Messages to people, through real receivers on this machine."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_UI_URL, temporary_settings

from tasks.people import channels
from tasks.people.events import (
    DRIFT_NEED_LABELS,
    DRIFT_QUARANTINE,
    DRIFT_RETRAIN,
    LABELS_COUNTED,
    MODEL_PROMOTED,
    MODEL_REJECTED,
    MODEL_ROLLED_BACK,
)
from tasks.people.notifications import FLOW_FAILED, notify
from tests.ports import free_ports
from tests.receivers import (
    PUBLISHED,
    HttpReceiver,
    Mailbox,
    http_receiver,
    mail_receiver,
    write_certificate,
)

TOPIC = "arn:aws:sns:eu-central-1:123456789012:driftline"
PAGES = "http://pages.example:4200"
SHORT_SECONDS = 5  # what a busy machine still answers in
RUN = "0d0c6a4c-7a39-4a44-9d0b-5b9f5f7f8f11"
SECRET = "T0P-SECRET"  # noqa: S105 - of these tests only
MESSAGES: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    MODEL_PROMOTED: (
        {"version": "7", "reasons": ["test_recall is 0.9700 (>= 0.95)"]},
        "a new model took over",
        ("- test_recall is 0.9700 (>= 0.95)", "version: 7"),
    ),
    MODEL_REJECTED: (
        {"version": "8", "reasons": ["cv_recall_excess_std is 0.0300, wanted <= 0.02"]},
        "a new model was rejected",
        ("- cv_recall_excess_std is 0.0300, wanted <= 0.02", "version: 8"),
    ),
    MODEL_ROLLED_BACK: (
        {"champion": "6", "previous": "7", "why": "the ward asked for it"},
        "the model was rolled back",
        ("champion: 6", "previous: 7", "why: the ward asked for it"),
    ),
    DRIFT_NEED_LABELS: (
        {
            "reasons": ("60% of what the model relies on has changed",),
            "report": "s3://b/drift.html",
        },
        "labels are needed to tell whether the model does harm",
        ("- 60% of what the model relies on has changed", "report: s3://b/drift.html"),
    ),
    DRIFT_QUARANTINE: (
        {"reasons": ("SerumInsulin: looks like another unit",), "report": "s3://b/drift.html"},
        "the data is broken; nothing is trained on it",
        ("- SerumInsulin: looks like another unit", "report: s3://b/drift.html"),
    ),
    DRIFT_RETRAIN: (
        {"order": "verdict:1", "reasons": ("mean Brier score 0.4 on 500 labelled rows",)},
        "the model does harm; training starts",
        ("- mean Brier score 0.4 on 500 labelled rows", "order: verdict:1"),
    ),
    FLOW_FAILED: (
        {"flow": "train", "reasons": ["rows.csv: no such file"]},
        "a run failed",
        ("- rows.csv: no such file", "flow: train"),
    ),
}


@pytest.fixture(autouse=True)
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Prefect's pages have an address, and AWS's client has what it signs with."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with temporary_settings({PREFECT_UI_URL: PAGES}):
        yield


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """A webhook that is configured and takes everything."""
    with http_receiver() as receiver:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", f"{receiver.url}/{SECRET}")
        yield receiver


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that is configured, without TLS or login."""
    with mail_receiver() as mailbox:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_EMAIL", "ward@example.org, lab@example.org")
        monkeypatch.setenv("DRIFTLINE_SMTP", mailbox.address)
        yield mailbox


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """An SNS topic that is configured, and its endpoint."""
    with http_receiver(answer=PUBLISHED) as receiver:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_SNS_TOPIC", TOPIC)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", receiver.url)
        yield receiver


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that is logged from here on, at every level."""
    caplog.set_level(logging.DEBUG)
    return caplog


def tell_of_rejection() -> None:
    notify(MODEL_REJECTED, "breast_cancer", MESSAGES[MODEL_REJECTED][0], run_id=RUN)


@pytest.mark.parametrize(("event", "message"), MESSAGES.items(), ids=MESSAGES)
def test_every_channel_is_told_what_happened_why_and_where_to_look(
    event: str,
    message: tuple[dict[str, Any], str, tuple[str, ...]],
    webhook: HttpReceiver,
    mailbox: Mailbox,
    sns: HttpReceiver,
) -> None:
    payload, title, lines = message
    subject = f"Driftline, breast_cancer: {title}"

    notify(event, "breast_cancer", payload, run_id=RUN)

    [text], [mail], [published] = webhook.texts, mailbox.mails, sns.posted
    assert text.startswith(f"*{subject}*\n")
    assert mail["Subject"].strip() == published.form["Subject"] == subject
    for told in (_unescaped(text), mail.get_content(), published.form["Message"]):
        for line in (*lines, f"look at {PAGES}/runs/flow-run/{RUN}"):
            assert line in told.splitlines()


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_what_slack_would_read_as_markup_is_escaped(webhook: HttpReceiver) -> None:
    notify(MODEL_REJECTED, "tiny", {"reasons": ["wanted <= 0.02 & >= 0.95"]})

    assert "wanted &lt;= 0.02 &amp; &gt;= 0.95" in webhook.texts[0]


def test_mail_goes_to_every_recipient(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_SMTP_FROM", "driftline@clinic.example")

    tell_of_rejection()

    assert mailbox.mails[0]["To"] == "ward@example.org, lab@example.org"
    assert mailbox.mails[0]["From"] == "driftline@clinic.example"


def test_sns_is_asked_in_the_region_of_its_topic_with_a_signature(sns: HttpReceiver) -> None:
    tell_of_rejection()

    [published] = sns.posted
    assert published.form["Action"] == "Publish"
    assert published.form["TopicArn"] == TOPIC
    signature = published.headers["Authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/sns/aws4_request" in signature


def test_a_subject_is_cut_to_what_sns_takes(sns: HttpReceiver) -> None:
    notify(FLOW_FAILED, "a" * 120, {"reasons": []})

    assert len(sns.posted[0].form["Subject"]) < 100


def test_a_login_is_sent_over_tls(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "localhost.pem")
    _log_in(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    with mail_receiver(certificate) as secured:
        monkeypatch.setenv("DRIFTLINE_SMTP", secured.address)
        tell_of_rejection()

    assert secured.logins == [("driftline", SECRET)]
    assert len(secured.mails) == 1
    assert mailbox.mails == []


def test_a_login_is_not_sent_to_a_server_that_nobody_vouches_for(
    mailbox: Mailbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.LogCaptureFixture,
) -> None:
    _log_in(monkeypatch)

    with mail_receiver(write_certificate(tmp_path / "localhost.pem")) as secured:
        monkeypatch.setenv("DRIFTLINE_SMTP", secured.address)
        tell_of_rejection()

    assert secured.logins == secured.mails == mailbox.mails == []
    assert "could not notify by e-mail: SSLCertVerificationError" in log.text


def test_a_login_is_not_sent_without_tls(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    _log_in(monkeypatch)

    tell_of_rejection()

    assert mailbox.mails == []
    assert "could not notify by e-mail: SMTPNotSupportedError" in log.text


def _log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_SMTP_USER", "driftline")
    monkeypatch.setenv("DRIFTLINE_SMTP_PASSWORD", SECRET)


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ({"status": 500}, "could not notify by webhook: HTTPError 500"),
        ({"status": 404}, "could not notify by webhook: HTTPError 404"),
        ({"hangs": True}, "could not notify by webhook: TimeoutError"),
        (None, "could not notify by webhook: URLError"),
    ],
    ids=["500", "404", "slow", "down"],
)
def test_a_webhook_in_trouble_is_told_in_the_log_and_the_others_are_told(
    trouble: dict[str, Any] | None,
    told: str,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(channels, "SEND_SECONDS", SHORT_SECONDS)

    with http_receiver(**(trouble or {})) as receiver:
        url = receiver.url if trouble else f"http://127.0.0.1:{free_ports(1)[0]}"
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", f"{url}/{SECRET}")
        tell_of_rejection()

    assert told in log.text
    assert SECRET not in log.text
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("endpoint", ["down", "slow", "500"])
def test_an_sns_in_trouble_is_asked_once_and_told_in_the_log(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channels, "SEND_SECONDS", SHORT_SECONDS)
    monkeypatch.setenv("DRIFTLINE_NOTIFY_SNS_TOPIC", TOPIC)
    status = 500 if endpoint == "500" else 200

    with http_receiver(status=status, hangs=endpoint == "slow") as receiver:
        url = f"http://127.0.0.1:{free_ports(1)[0]}" if endpoint == "down" else receiver.url
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", url)
        tell_of_rejection()

    assert len(receiver.posted) == (endpoint != "down")
    assert "could not notify by SNS: " in log.text
    assert SECRET not in log.text


def test_a_mail_server_that_is_down_is_told_in_the_log(
    webhook: HttpReceiver, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DRIFTLINE_NOTIFY_EMAIL", "ward@example.org")
    monkeypatch.setenv("DRIFTLINE_SMTP", f"localhost:{free_ports(1)[0]}")

    tell_of_rejection()

    assert "could not notify by e-mail: ConnectionRefusedError" in log.text
    assert len(webhook.posted) == 1


def test_nobody_is_told_where_nothing_is_configured(log: pytest.LogCaptureFixture) -> None:
    tell_of_rejection()

    assert "could not notify" not in log.text


def test_an_event_between_machines_is_not_told_to_people(webhook: HttpReceiver) -> None:
    notify(LABELS_COUNTED, "breast_cancer", {"labels": 100})

    assert webhook.posted == []
