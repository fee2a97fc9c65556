"""Signatures with the user's own key over a folder's files, as `model_signing` makes them.

The format is OpenSSF's model signing: a Sigstore bundle over the digest of each file.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from driftline.errors import SettingsError

KEY_WANTED = "wanted a PEM file of an elliptic-curve private key without a password"


def sign_files(folder: Path, key: Path, signature: Path, *, apart: Iterable[str] = ()) -> None:
    """Write the signature of every file of a folder but those `apart`, by a private key in a file.

    `signature` may lie in the folder. A key that cannot be used is a `SettingsError`.
    """
    from model_signing import hashing, signing

    own = hashing.Config().set_ignored_paths(paths=[signature, *apart], ignore_git_paths=False)
    try:
        config = signing.Config().use_elliptic_key_signer(private_key=key)
    except (OSError, ValueError, TypeError) as error:
        raise _refused(key, error) from None
    config.set_hashing_config(own).sign(folder, signature)


def public_pem(key: Path) -> str:
    """The public half of a private key, as PEM; a key that cannot be used is a `SettingsError`."""
    from cryptography.hazmat.primitives import serialization as form

    try:
        private: Any = form.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise _refused(key, error) from None
    how = form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    return str(private.public_key().public_bytes(*how).decode("ascii"))


def _refused(key: Path, error: Exception) -> SettingsError:
    told = f"DRIFTLINE_EVIDENCE_KEY: {key.name} cannot be used ({type(error).__name__})"
    return SettingsError(f"{told}; {KEY_WANTED}")
