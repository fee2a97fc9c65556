"""Packages for another machine: installed from a hash-pinned lock into a folder, and slimmed.

Images and archives share this; it makes neither.
"""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from driftline.errors import PackagingError

# What serving never loads: tests, headers, sources, and parts of onnxruntime and numpy.
UNUSED_PATHS = (
    "bin",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/_pyinstaller",
    "numpy/distutils",
    "numpy/f2py",
    "numpy/random/_examples",
    "numpy/random/lib",
    "onnxruntime/Privacy.md",
    "onnxruntime/ThirdPartyNotices.txt",
    "onnxruntime/backend",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "pip",
    "setuptools",
    "uv",
    "wheel",
)
UNUSED_FOLDERS = frozenset({"tests", "__pycache__", "sboms"})
UNUSED_ENDINGS = frozenset([".pyi", ".pyx", ".pxd", ".h", ".hpp", ".c", ".cpp", ".a", ".pyc"])
# Files of the installer: they name this machine, and differ from run to run.
UNUSED_FILES = frozenset(
    ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock"]
)
# The C library of onnxruntime: its Python module has a copy inside and loads none.
UNUSED_LIBRARIES = "onnxruntime/capi/libonnxruntime.so.*"
MACHINES = {"arm64": "aarch64", "AMD64": "x86_64"}


@dataclass(frozen=True)
class Target:
    """What the packages are for: a Python version, a platform, and where they will lie."""

    python: str
    platform: str
    path: str


def own_python() -> str:
    """This interpreter's version, such as 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def own_platform() -> str:
    """Linux on this machine's processor, with the oldest C library that the wheels run on."""
    machine = platform.machine()
    return f"{MACHINES.get(machine, machine)}-manylinux_2_28"


def install_packages(lock: Path, folder: Path, target: Target) -> None:
    """Install every package of a lock by its hash, without what serving never loads."""
    command = [_find_uv(), "pip", "install", "-q", "--target", str(folder), "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--link-mode", "copy"]
    command += ["--python-version", target.python, "--python-platform", target.platform]
    _run([*command, "-r", str(lock)], what=f"installing {lock.name}")
    slim(folder)


def make_venv(lock: Path, folder: Path) -> Path:
    """A virtual environment of a lock's packages alone, by their hashes; returns its Python."""
    _run([_find_uv(), "venv", "-q", "--python", sys.executable, str(folder)], what="making a venv")
    python = folder / "bin" / "python"
    command = [_find_uv(), "pip", "sync", "-q", "--python", str(python), "--require-hashes"]
    _run([*command, "--only-binary", ":all:", str(lock)], what=f"installing {lock.name}")
    return python


def slim(folder: Path) -> None:
    """Remove what serving never loads."""
    for name in UNUSED_PATHS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in folder.glob(UNUSED_LIBRARIES):
        path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and path.name in UNUSED_FOLDERS:
            shutil.rmtree(path)
        elif path.is_file() and (path.suffix in UNUSED_ENDINGS or path.name in UNUSED_FILES):
            path.unlink()


def compile_packages(folder: Path, target: Target) -> bool:
    """Compile to bytecode that carries no time; False where no such Python is on this machine."""
    python = sys.executable if target.python == own_python() else _find_python(target.python)
    if python is None:
        return False
    command = [python, "-I", "-m", "compileall", "-q", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", target.path]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}
    subprocess.run([*command, str(folder)], env=environment, capture_output=True, check=False)  # noqa: S603 - our own words; a file for another Python may not compile
    return True


def let_all_read(folder: Path) -> None:
    """Let every user read a folder: an image's is another one than whoever built it."""
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        is_open = path.is_dir() or mode & 0o100
        path.chmod(mode | (0o755 if is_open else 0o644))


def _find_python(version: str) -> str | None:
    """An interpreter of exactly this minor version."""
    found = shutil.which(f"python{version}")
    if found is None:
        return None
    ask = [found, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    told = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - our own words
    return found if told == version else None


def _find_uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        message = "uv: not beside this Python and not on PATH; install it with: pip install uv"
        raise PackagingError(message)
    return found


def _run(command: list[str], *, what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-8:])
        message = f"{what} failed with {done.returncode}: {last}"
        raise PackagingError(message)
