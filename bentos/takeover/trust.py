"""Whose signatures are wanted of what is loaded, and whether it bears them.

There are two kinds, and each whose key is set has to be right. `DRIFTLINE_SIGNING_KEY` is shared by
who packages and who serves (HMAC-SHA256). `DRIFTLINE_EVIDENCE_PUBLIC_KEY` is the public half of a
key whose private half services never see; what it signs is a bundle of OpenSSF's model signing:
an in-toto statement of the files' digests in a DSSE envelope, as Sigstore's JSON. Of that statement
the digest of `SHA256SUMS` is what counts, since that list names all other files.
"""

import base64
import hmac
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bentos.settings import evidence_public_key, signing_key
from bentos.takeover.content import (
    BUNDLE,
    SERVED,
    SIGNATURE,
    SUMS,
    ContentError,
    below,
    check_files,
    digest,
    parse_sums,
)
from bentos.takeover.curves import PublicKey, is_signed

MOST_BUNDLE_BYTES = 1024 * 1024
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_PURPOSE = b"driftline bento "
_OF_TABLE = b"driftline table "


@dataclass(frozen=True)
class Trust:
    """The keys by which content has to be signed; by default none."""

    secret: str = ""
    public_key: PublicKey | None = None

    def check(self, sha256: str, *, signature: str, bundle: bytes) -> None:
        """Refuse a bento's digest that does not bear each signature that is wanted."""
        check_signature(sha256, signature, self.secret)
        self.check_bundle(sha256, bundle)

    def check_bundle(self, sha256: str, bundle: bytes) -> None:
        """Refuse a bento's digest that the public key's owner has not signed."""
        if self.public_key is None:
            return
        if not bundle:
            message = (
                "not signed, and DRIFTLINE_EVIDENCE_PUBLIC_KEY is set; run flows.package or "
                "flows.evidence where DRIFTLINE_EVIDENCE_KEY names the private key"
            )
            raise ContentError(message)
        if read_signed(bundle, self.public_key).get(SUMS) != sha256:
            message = f"{BUNDLE}: signs another bento than this one"
            raise ContentError(message)

    def check_table(self, name: str, sha256: str, *, signature: str, bundle: bytes) -> None:
        """Refuse the table of a join that does not bear each signature that is wanted."""
        if self.secret and not _is_equal(sign_table(name, sha256, self.secret), signature):
            message = "not signed with DRIFTLINE_SIGNING_KEY; package it where the same key is"
            raise ContentError(message)
        if self.public_key is None:
            return
        if not bundle or read_signed(bundle, self.public_key).get(name) != sha256:
            message = (
                "not signed by the owner of DRIFTLINE_EVIDENCE_PUBLIC_KEY; run flows.package "
                "where DRIFTLINE_EVIDENCE_KEY names the private key"
            )
            raise ContentError(message)


def read_trust() -> Trust:
    """The keys of this environment; `SettingError` where one cannot be used."""
    return Trust(signing_key(), evidence_public_key())


def sign(sha256: str, key: str) -> str:
    """Signature of a bento's digest: HMAC-SHA256 (RFC 2104), as hex; empty without a key."""
    if not key:
        return ""
    return hmac.new(key.encode(), _PURPOSE + sha256.encode(), "sha256").hexdigest()


def sign_table(name: str, sha256: str, key: str) -> str:
    """Signature of a table's digest under the name that it has; empty without a key."""
    if not key:
        return ""
    return hmac.new(key.encode(), _OF_TABLE + f"{name} {sha256}".encode(), "sha256").hexdigest()


def check_signature(sha256: str, signature: str, key: str) -> None:
    """Refuse what was not signed with the shared key; without a key everything passes."""
    if not key:
        return
    if not signature:
        message = "not signed, and DRIFTLINE_SIGNING_KEY is set; package it where the same key is"
        raise ContentError(message)
    if not _is_equal(sign(sha256, key), signature):
        message = "signed with another key than DRIFTLINE_SIGNING_KEY, or changed since"
        raise ContentError(message)


def _is_equal(wanted: str, signature: str) -> bool:
    return hmac.compare_digest(wanted.encode(), signature.encode())


def read_signed(bundle: bytes, key: PublicKey) -> dict[str, str]:
    """SHA-256 by name of the files that the key's owner signed; `ContentError` where he did not."""
    payload, signature = _open_bundle(bundle)
    head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode()
    if not is_signed(head + payload, signature, key):
        message = (
            f"{BUNDLE}: made by another key than DRIFTLINE_EVIDENCE_PUBLIC_KEY, or changed since"
        )
        raise ContentError(message)
    return _read_statement(payload)


def _open_bundle(bundle: bytes) -> tuple[bytes, bytes]:
    try:
        told = json.loads(bundle)
        envelope = told["dsseEnvelope"]
        (only,) = envelope["signatures"]
        is_known = (told["mediaType"], envelope["payloadType"]) == (MEDIA_TYPE, PAYLOAD_TYPE)
        payload = base64.b64decode(envelope["payload"], validate=True)
        signature = base64.b64decode(only["sig"], validate=True)
    except (ValueError, LookupError, TypeError, RecursionError):
        is_known = False
    if not is_known:
        message = f"{BUNDLE}: cannot be read; wanted a bundle as model-signing writes it"
        raise ContentError(message)
    return payload, signature


def _read_statement(payload: bytes) -> dict[str, str]:
    try:
        statement = json.loads(payload)
        is_known = statement["predicateType"] == PREDICATE_TYPE
        digests = dict(_digests(statement["predicate"]["resources"]))
    except (ValueError, LookupError, TypeError, RecursionError):
        is_known = False
    if not is_known:
        message = f"{BUNDLE}: its statement names no files; wanted one as model-signing writes it"
        raise ContentError(message)
    return digests


def _digests(resources: Iterable[dict[str, Any]]) -> Iterable[tuple[str, str]]:
    for resource in resources:
        if resource["algorithm"] == "sha256":
            yield str(resource["name"]), str(resource["digest"])


def check_model_folder(folder: Path, trust: Trust) -> dict[str, str] | None:
    """Verify the served files of the folder that a model is loaded from, where they are listed.

    The list lies in the folder itself, or beside BentoML's `src`. Where signatures are wanted it
    has to be there, and bear them. Returns the digests that it lists, None without a list.
    """
    inside, beside = folder / SUMS, folder.parent / SUMS
    is_beside = folder.name == SERVED.rstrip("/") and not inside.exists()
    path, prefix = (beside, SERVED) if is_beside else (inside, "")
    if not path.exists():
        trust.check("", signature="", bundle=b"")
        return None
    sums, root = path.read_bytes(), path.parent
    trust.check(digest(sums), signature=read_signature(root), bundle=read_bundle(root))
    own = below(parse_sums(sums), prefix)
    for name in ("contract.json", "model.onnx"):
        if name not in own:
            message = f"{SUMS}: does not list {name}"
            raise ContentError(message)
    check_files(folder, own)
    return own


def write_signature(folder: Path, signature: str) -> None:
    """Keep the shared key's signature beside a list of files; an empty one takes it away."""
    path = folder / SIGNATURE
    if not signature:
        path.unlink(missing_ok=True)
    elif read_signature(folder) != signature:
        _write(path, signature.encode("ascii"))


def write_bundle(folder: Path, bundle: bytes) -> None:
    """Keep a signature of model signing beside a list of files."""
    _write(folder / BUNDLE, bundle)


def _write(path: Path, content: bytes) -> None:
    """Write a file of a bento in one step.

    It is drafted beside the bento, so that a writer that is killed leaves no file in it that no
    list names.
    """
    folder = path.parent
    draft = folder.with_name(f".{folder.name}.{path.name}.{uuid.uuid4().hex}.part")
    draft.write_bytes(content)
    draft.replace(path)


def read_signature(folder: Path) -> str:
    """The shared key's signature; empty where there is none."""
    return _read(folder / SIGNATURE).decode("ascii", errors="replace").strip()


def read_bundle(folder: Path) -> bytes:
    """The signature of model signing that a folder bears; empty where there is none."""
    return _read(folder / BUNDLE)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BUNDLE_BYTES)
    except FileNotFoundError:
        return b""
