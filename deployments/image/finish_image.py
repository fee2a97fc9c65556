"""Runs once inside the image, at the end of its build.

Refuses a Python other than the packages were installed for, compiles the served code, lets every
user read it, and takes away what a base image may bring for installing things.
"""

# ruff: noqa: INP001 - no package: the image build runs it alone
import compileall
import os
import py_compile
import shutil
import sys
import sysconfig
from pathlib import Path

INSTALLERS = ("pip", "setuptools", "wheel", "ensurepip", "pkg_resources")
COMMANDS = ("pip", "pip3", "wheel", "uv", "uvx")


def main() -> int:
    """Finish the image; exit 1 on a Python that does not fit."""
    packages, code = Path(__file__).resolve().parent, sys.argv[1]
    wanted = (packages / "python_version").read_text(encoding="ascii").strip()
    found = f"{sys.version_info.major}.{sys.version_info.minor}"
    if found != wanted:
        sys.stderr.write(f"the base image has Python {found}, wanted {wanted}\n")
        return 1
    compileall.compile_dir(
        code, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    let_all_read(Path(code).parent)  # a container may be told to run as any user
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")}:
        for name in INSTALLERS:
            shutil.rmtree(Path(folder) / name, ignore_errors=True)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for name in (*COMMANDS, f"pip{found}"):
            (Path(folder) / name).unlink(missing_ok=True)
    return 0


def let_all_read(folder: Path) -> None:
    """Let every user read the bento, which its builder's machine kept for itself."""
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o755 if path.is_dir() else 0o644))


if __name__ == "__main__":
    sys.exit(main())
