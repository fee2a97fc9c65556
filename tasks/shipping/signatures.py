"""The signature that a bento, or what is served from an archive, bears of the user's own key.

`DRIFTLINE_EVIDENCE_KEY` names it; services verify by its public half alone
(`bentos/takeover/trust.py`).
"""

import shutil
import tempfile
from pathlib import Path

from bentos.tables.lookups import LOOKUPS
from bentos.takeover.content import BUNDLE, BYTECODE, SIGNATURE, SUMS, ContentError
from bentos.takeover.curves import PublicKey, parse_public_key
from bentos.takeover.shelf import bundle_in_store
from bentos.takeover.trust import (
    Trust,
    read_bundle,
    read_signature,
    sign,
    write_bundle,
    write_signature,
)
from driftline.errors import NotFoundError, SettingsError
from tasks.data.files import locate, read_file, write_file
from tasks.settings import get_settings, get_signing_key
from tasks.signing import KEY_WANTED, public_pem, sign_files


def is_signing() -> bool:
    """Whether there is a key to sign with, of either kind."""
    return bool(get_signing_key() or get_settings().evidence_key)


def bears_signatures(folder: Path, sha256: str) -> bool:
    """Whether a bento bears the right signature of each key that is set here."""
    key = get_settings().evidence_key
    trust = Trust(get_signing_key(), _public_half(Path(key)) if key else None)
    try:
        trust.check(sha256, signature=read_signature(folder), bundle=read_bundle(folder))
    except ContentError:
        return False
    return True


def sign_bento(folder: Path, sha256: str) -> None:
    """Sign a whole bento by each key that is set; without one leave its signature as it is."""
    secret = get_signing_key()
    if secret:
        write_signature(folder, sign(sha256, secret))
    _sign_by_own(folder, sha256)


def _sign_by_own(folder: Path, sha256: str) -> None:
    if not get_settings().evidence_key:
        return
    key = Path(get_settings().evidence_key)
    if _is_signed_by(key, folder, sha256):
        return
    apart = [path.relative_to(folder).as_posix() for path in folder.rglob(BYTECODE)]
    with tempfile.TemporaryDirectory() as place:
        signature = Path(place, BUNDLE)
        sign_files(folder, key, signature, apart=[BUNDLE, SIGNATURE, *apart])
        write_bundle(folder, signature.read_bytes())


def sign_served(content: Path, names: list[str]) -> None:
    """Sign the listed files of an archive's folder, which holds packages that no list names too."""
    if not get_settings().evidence_key:
        return
    with tempfile.TemporaryDirectory() as place:
        own = Path(place, content.name)
        for name in (*names, SUMS):
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(content / name, own / name)
        sign_files(own, Path(get_settings().evidence_key), content / BUNDLE)


def sign_table(name: str, content: bytes) -> bytes:
    """The signature of a join's table under its name; empty without a key of one's own."""
    if not get_settings().evidence_key:
        return b""
    with tempfile.TemporaryDirectory() as place:
        folder, signature = Path(place, LOOKUPS), Path(place, BUNDLE)
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
        sign_files(folder, Path(get_settings().evidence_key), signature)
        return signature.read_bytes()


def share_signature(folder: Path, tag: str) -> None:
    """Have in the store the signature that a bento bears here; without one leave what is there."""
    bundle = read_bundle(folder)
    address = locate(bundle_in_store(tag))
    try:
        is_there = read_file(address) == bundle
    except NotFoundError:
        is_there = False
    if bundle and not is_there:
        write_file(address, bundle)


def _is_signed_by(key: Path, folder: Path, sha256: str) -> bool:
    try:
        Trust(public_key=_public_half(key)).check_bundle(sha256, read_bundle(folder))
    except ContentError:
        return False
    return True


def _public_half(key: Path) -> PublicKey:
    try:
        return parse_public_key(public_pem(key))
    except ValueError:
        message = f"DRIFTLINE_EVIDENCE_KEY: {key.name} is of a curve that is not known"
        raise SettingsError(f"{message}; {KEY_WANTED} (P-256, P-384 or P-521)") from None
