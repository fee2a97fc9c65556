"""Real receivers of messages on this machine: an HTTP server and a mail server."""

import contextlib
import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.ports import free_ports

PUBLISHED = (
    '<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    "<MessageId>1</MessageId></PublishResult></PublishResponse>"
)


@dataclass(frozen=True)
class Posted:
    """One request that an HTTP receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return str(json.loads(self.body)["text"])

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass
class HttpReceiver:
    """Where it listens, and what it got so far."""

    url: str
    posted: list[Posted] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.posted]


@contextmanager
def http_receiver(
    *, status: int = 200, hangs: bool = False, answer: str = ""
) -> Iterator[HttpReceiver]:
    """A server that takes what is posted to it; one that hangs answers when the test has ended."""
    is_over = threading.Event()

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.posted.append(Posted(dict(self.headers), body))
            if hangs:
                is_over.wait()
            with contextlib.suppress(ConnectionError):  # who asked may have stopped waiting
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    receiver = HttpReceiver(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield receiver
    is_over.set()
    server.shutdown()
    server.server_close()


@dataclass
class Mailbox:
    """A mail server: where it listens, what it got, and who logged in."""

    address: str
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, login: LoginPassword
    ) -> AuthResult:
        self.logins.append((login.login.decode(), login.password.decode()))
        return AuthResult(success=True)


@contextmanager
def mail_receiver(certificate: Path | None = None) -> Iterator[Mailbox]:
    """A mail server; with a certificate it takes mail over STARTTLS and after a login only."""
    [port] = free_ports(1)
    mailbox = Mailbox(f"localhost:{port}")
    secured: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        secured = {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": mailbox.authenticate,
        }
    controller = Controller(mailbox, hostname="localhost", port=port, **secured)
    controller.start()
    yield mailbox
    controller.stop()


def write_certificate(path: Path) -> Path:
    """A certificate for this machine that it signed itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path
