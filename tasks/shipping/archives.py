"""The Lambda archive: a zip with the model, the serving code and its packages, and no more.

The same model, code, lock and tables of joins give the same bytes.
"""

import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bentos.takeover.content import SUMS, format_sums
from bentos.takeover.trust import sign, write_signature
from driftline.digests import digest_bytes
from driftline.errors import PackagingError
from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.decorators import io
from tasks.drafts import whole_file
from tasks.progress import tell
from tasks.settings import get_settings, get_signing_key
from tasks.shipping.lookups import pack_tables
from tasks.shipping.signatures import sign_served
from tasks.shipping.wheels import Target, compile_packages, install_packages, own_python

PROJECT = Path(__file__).resolve().parents[2]
CODE = (
    "bentos/__init__.py",
    "bentos/api.py",
    "bentos/arms.py",
    "bentos/columns.py",
    "bentos/log/batches.py",
    "bentos/log/checks.py",
    "bentos/log/direct.py",
    "bentos/log/packed.py",
    "bentos/http/about.py",
    "bentos/http/door.py",
    "bentos/http/emf.py",
    "bentos/doorbell.py",
    "bentos/health/parts.py",
    "bentos/lambda_handler.py",
    "bentos/log/writers.py",
    "bentos/tables/bringing.py",
    "bentos/tables/bucket.py",
    "bentos/tables/lookups.py",
    "bentos/tables/pointers.py",
    "bentos/tables/stocking.py",
    "bentos/takeover/attempts.py",
    "bentos/takeover/shelf.py",
    "bentos/http/metrics.py",
    "bentos/ids.py",
    "bentos/log/migrations/sqlite.sql",
    "bentos/http/openapi.py",
    "bentos/http/schemas.py",
    "bentos/predictor.py",
    "bentos/records.py",
    "bentos/log/refusals.py",
    "bentos/replies.py",
    "bentos/log/rows.py",
    "bentos/sandbox.py",
    "bentos/settings.py",
    "bentos/sidecar.py",
    "bentos/log/spool.py",
    "bentos/takeover/content.py",
    "bentos/takeover/curves.py",
    "bentos/takeover/trust.py",
    "driftline/__init__.py",
    "driftline/computed.py",
    "driftline/contract.py",
    "driftline/contributions.py",
    "driftline/date_parts.py",
    "driftline/dates.py",
    "driftline/deciding.py",
    "driftline/fields.py",
    "driftline/filling.py",
    "driftline/form.py",
    "driftline/formulas.py",
    "driftline/refusals.py",
    "driftline/numbers.py",
    "driftline/plain_numbers.py",
    "driftline/spelling.py",
    "driftline/timelines.py",
)
LOCK = "deployments/lambda/requirements.lock"
PLATFORM = "x86_64-manylinux_2_28"
TASK_ROOT = "/var/task"
PYTHONS = ("3.11", "3.12", "3.13")
OLDEST_MANAGED = (3, 12)  # AWS's runtime before it has a C library too old for onnxruntime
MOST_MEGABYTES = 50.0
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Archive:
    """A built archive."""

    path: str
    megabytes: float
    sha256: str


def archive_path(problem: Problem, version: str, python: str) -> Path:
    """Where the archive of a model version lies."""
    folder = get_settings().home.absolute() / "lambda"
    return folder / f"{problem.name}-v{version}-python{python}.zip"


def find_archive(problem: Problem, model: ServedModel) -> Path:
    """Where the archive lies that this Python can run."""
    return archive_path(problem, model.version, own_python())


@io(name="build Lambda archive")
def build_archive(problem: Problem, model: ServedModel, python: str = "") -> Archive:
    """Build it for a Python version, by default this one; refuse one that is too large."""
    python = python or own_python()
    if python not in PYTHONS:
        message = f"--lambda-python: got {python!r}, wanted one of: {', '.join(PYTHONS)}"
        raise PackagingError(message)
    target = Target(python=python, platform=PLATFORM, path=TASK_ROOT)
    with tempfile.TemporaryDirectory(prefix="driftline-lambda-") as folder:
        content = Path(folder) / "content"
        tell(f"installing {LOCK} for Python {python} on {PLATFORM}")
        install_packages(PROJECT / LOCK, content, target)
        write_served(content, model, {name: PROJECT / name for name in CODE})
        if not compile_packages(content, target):
            tell(f"no python{python} on this machine: without bytecode the cold start is slower")
        path = pack_folder(content, archive_path(problem, model.version, python))
    if tuple(map(int, python.split("."))) < OLDEST_MANAGED:
        tell(f"AWS's managed runtime of Python {python} is too old; for it, --lambda-python 3.13")
    return describe_archive(path)


def describe_archive(path: Path) -> Archive:
    """Size and digest; an archive beyond what Lambda takes is a `PackagingError`."""
    content = path.read_bytes()
    megabytes = round(len(content) / 1e6, 1)
    if megabytes > MOST_MEGABYTES:
        message = f"{path}: got {megabytes} MB, wanted at most {MOST_MEGABYTES:g}"
        raise PackagingError(message)
    return Archive(str(path), megabytes, digest_bytes(content))


def write_served(content: Path, model: ServedModel, code: Mapping[str, Path]) -> None:
    """Add our own files and the tables of joins, listed by their digests.

    Of the packages the lock has had the digests.
    """
    files = {name: path.read_bytes() for name, path in code.items()}
    files |= pack_tables(model)
    files |= {"model.onnx": model.onnx, "contract.json": model.contract.to_json().encode()}
    for name, text in files.items():
        path = content / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    sums = format_sums({name: digest_bytes(text) for name, text in files.items()})
    (content / SUMS).write_bytes(sums)
    write_signature(content, sign(digest_bytes(sums), get_signing_key()))
    sign_served(content, list(files))


def pack_folder(content: Path, path: Path) -> Path:
    """Write the zip whole or not at all: sorted names, one time, one mode."""
    files = {str(file.relative_to(content)): file for file in content.rglob("*") if file.is_file()}
    with whole_file(path) as draft, zipfile.ZipFile(draft, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name.replace(os.sep, "/"), LONG_AGO)
            entry.create_system = 3  # unix, whatever this machine is
            entry.external_attr = (0o100755 if ".so" in name else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name].read_bytes(), compresslevel=9)
    return path
