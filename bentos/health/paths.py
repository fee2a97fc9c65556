"""What is the matter with a file or a folder of this machine, said of the part that is in the way.

Only what no waiting mends has words here, and a full disk.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EEXIST, errno.ENOENT})
_A_FOLDER = frozenset({errno.EISDIR, errno.ENOTEMPTY})
DENIED = "access denied; wanted one that this user may read and write"
_WORDS = {
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EROFS: "its disk is read-only; wanted one that can be written",
    errno.ELOOP: "is a link that leads round in a circle; wanted one that leads somewhere",
    errno.ENAMETOOLONG: "the name is too long; wanted a shorter one",
    errno.EFBIG: "is larger than its disk allows; wanted a disk that takes it",
}


def explain_path(error: BaseException, unnamed: str = "the disk") -> str | None:
    """What is wrong with the path that an error names, and what was wanted; None for others.

    Where the disk is full an error may name none: then it is `unnamed`.
    """
    if not isinstance(error, OSError):
        return None
    path = _path_of(error)
    if error.errno in NO_ROOM:
        return f"{path or unnamed}: no room is left ({error.strerror}); wanted some on its disk"
    if path is None:
        return None
    if error.errno in _IN_THE_WAY:
        wrong = what_is_no_folder(path)
        return None if wrong is None else f"{wrong}, wanted a folder"
    if error.errno in _A_FOLDER:
        return f"{path}: is a folder, wanted a file"
    words = _WORDS.get(error.errno or 0)
    return None if words is None else f"{_that_is_there(path)}: {words}"


def why_no_folder(error: OSError, folder: Path) -> str:
    """The system's word for why a folder cannot be made, and ours where it says "File exists"."""
    told = what_is_no_folder(folder) if isinstance(error, FileExistsError) else None
    return told or error.strerror or type(error).__name__


def what_is_no_folder(folder: Path) -> str | None:
    """What stands where a folder or one of its parents is wanted; None where nothing does."""
    with suppress(PermissionError):  # nobody may look there
        for each in (*reversed(folder.parents), folder):
            if each.is_symlink() and not each.exists():
                return f"{each}: is a link to {each.readlink()}, which is not there"
            if each.exists() and not each.is_dir():
                return f"{each}: is a file"
    return None


def is_denied(path: Path) -> bool:
    """Whether this user may not read and write a file or a folder that is there."""
    try:
        is_folder = path.is_dir()
    except PermissionError:  # nor enter a folder above it
        return True
    mode = os.R_OK | os.W_OK | (os.X_OK if is_folder else 0)
    return os.access(path, os.F_OK) and not os.access(path, mode)


def _that_is_there(path: Path) -> Path:
    """A path, or the folder in which it could not be made."""
    folder = path.parent
    return folder if os.access(folder, os.X_OK) and not os.path.lexists(path) else path


def _path_of(error: OSError) -> Path | None:
    """Where it was to be written, or read from; a name may be bytes or a number."""
    names = (error.filename2, error.filename)
    return next((Path(os.fsdecode(name)) for name in names if isinstance(name, str | bytes)), None)
