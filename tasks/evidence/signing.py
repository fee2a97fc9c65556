"""A signature over a folder of evidence, with the user's own key.

The format is OpenSSF's model signing: a Sigstore bundle over the digest of each file.
"""

from pathlib import Path

from driftline.errors import DataError, SettingsError
from tasks.decorators import work

SIGNATURE = "evidence.sig"


@work(name="sign evidence")
def sign_folder(folder: Path, key: Path) -> None:
    """Sign every file of a folder by an elliptic-curve private key in a PEM file."""
    from model_signing import signing

    try:
        signer = signing.Config().use_elliptic_key_signer(private_key=key)
    except (OSError, ValueError, TypeError) as error:
        message = f"DRIFTLINE_EVIDENCE_KEY: {key.name} cannot be used ({type(error).__name__})"
        wanted = "wanted a PEM file of an elliptic-curve private key without a password"
        raise SettingsError(f"{message}; {wanted}") from None
    signer.sign(folder, folder / SIGNATURE)


@work(name="verify evidence")
def verify_folder(folder: Path, public_key: Path) -> None:
    """`DataError` where a file is another than was signed, is missing or was added."""
    from model_signing import hashing, verifying

    if not (folder / SIGNATURE).is_file():
        message = f"{folder}: got no {SIGNATURE}, wanted evidence that was signed"
        raise DataError(message)
    config = verifying.Config().set_hashing_config(
        hashing.Config().set_ignored_paths(paths=[folder / SIGNATURE], ignore_git_paths=False)
    )
    try:
        config.use_elliptic_key_verifier(public_key=public_key).verify(folder, folder / SIGNATURE)
    except (OSError, ValueError, TypeError) as error:
        message = f"{folder}: does not have the signature that {public_key.name} verifies"
        raise DataError(f"{message} ({type(error).__name__})") from None
