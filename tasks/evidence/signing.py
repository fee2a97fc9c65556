"""A signature over a folder of evidence, with the user's own key (`tasks/signing.py`)."""

from pathlib import Path

from driftline.errors import DataError
from tasks.decorators import work
from tasks.signing import sign_files

SIGNATURE = "evidence.sig"


@work(name="sign evidence")
def sign_folder(folder: Path, key: Path) -> None:
    """Sign every file of a folder by an elliptic-curve private key in a PEM file."""
    sign_files(folder, key, folder / SIGNATURE)


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
