"""Runs once inside the image, at the end of its build.

Refuses a Python other than the packages were installed for, compiles the served code, and takes
away what a base image may bring for installing things.
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
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")}:
        for name in INSTALLERS:
            shutil.rmtree(Path(folder) / name, ignore_errors=True)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for name in (*COMMANDS, f"pip{found}"):
            (Path(folder) / name).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
