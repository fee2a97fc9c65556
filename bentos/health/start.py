"""What is seen to before the service starts: who may read its state, its spool, its port."""

import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path

from bentos.health.paths import why_no_folder
from bentos.settings import SettingError

PRIVATE, OF_A_GROUP = 0o077, 0o007  # what nobody else may do


def protect_state(home: Path) -> None:
    """Let only this user read what this process writes from now on, and its state folder.

    A state folder with the set-group-ID bit (`chmod 2770`) is shared with its group on purpose.
    """
    try:
        mode = home.stat().st_mode
    except OSError:
        os.umask(PRIVATE)
        return
    hidden = OF_A_GROUP if mode & stat.S_ISGID else PRIVATE
    os.umask(hidden)
    if mode & hidden and home.stat().st_uid == os.geteuid():
        home.chmod(stat.S_IMODE(mode) & ~hidden)


def check_spool(folder: Path, setting: str) -> None:
    """Refuse to start where no prediction could be kept; `setting` is what named the folder."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = why_no_folder(error, folder)
        message = (
            f"{folder}: cannot be written ({why}), and no prediction is answered that "
            f"cannot be logged; wanted a folder that can be ({setting})"
        )
        raise SettingError(message) from None


def keep_temporary(folder: Path, leftovers: str) -> None:
    """Make this process's temporary files here, where those of killed ones are removed.

    `leftovers` is how their names begin. Where nothing can be made here, as on a full disk, they go
    where they always went.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{leftovers}*"):
            shutil.rmtree(left, ignore_errors=True)
        Path(tempfile.mkdtemp(dir=folder)).rmdir()
    except OSError:
        return
    tempfile.tempdir = str(folder)


def check_port(host: str, port: int, *, option: str) -> None:
    """Refuse to start where another listens already, or where this user may not."""
    why = what_keeps_from(host, port)
    if why is not None:
        message = (
            f"port {port} of {host}: {why}; stop what listens there, "
            f"or give another port with {option}"
        )
        raise SettingError(message)


def what_keeps_from(host: str, port: int) -> str | None:
    """Why nobody can begin to listen there, None where one can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or "not a port"
    return None
