"""Keys of the test's own, and OpenSSF's library, which signs with them."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec
from model_signing import hashing, signing

from bentos.takeover.content import BUNDLE, SIGNATURE


def make_keys(folder: Path, curve: ec.EllipticCurve | None = None) -> tuple[Path, Path]:
    """A private key and its public half, as PEM files in a new folder."""
    folder.mkdir()
    private = ec.generate_private_key(curve or ec.SECP256R1())
    secret, public = folder / "key.pem", folder / "key.pub"
    secret.write_bytes(
        private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    )
    public.write_text(pem_of(private.public_key()))
    return secret, public


def pem_of(key: ec.EllipticCurvePublicKey) -> str:
    """A public key as PEM."""
    how = form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(*how).decode()


def sign_by_library(folder: Path, key: Path) -> bytes:
    """Have a folder signed as anybody does who has `model_signing`; returns the signature."""
    path = folder / BUNDLE
    path.unlink(missing_ok=True)
    own = hashing.Config().set_ignored_paths(paths=[BUNDLE, SIGNATURE], ignore_git_paths=False)
    config = signing.Config().use_elliptic_key_signer(private_key=key)
    config.set_hashing_config(own).sign(folder, path)
    return path.read_bytes()
