"""What a registered version serves by: its files in MLflow's store, each verified as it is read."""

import gzip
import json
import re
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bentos.takeover.content import SUMS, ContentError, check_files, parse_sums
from driftline.contract import parse_contract
from driftline.digests import digest_bytes
from driftline.errors import LostModelError
from driftline.promise import OutOfFold, Promise, read_promise
from driftline.served import ServedModel
from tasks.reaching import reading_artifacts

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

TRAIN_ROWS = "train_rows.txt.gz"
ROW_DIGEST = re.compile(r"[0-9a-f]{64}(:[0-9]+)?")
# What reading a damaged file of any of our kinds raises.
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, zipfile.BadZipFile)
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # what MLflow says of an alias


def raise_unless_missing(error: "MlflowException") -> None:
    """A registry that does not answer must not be taken for one without a champion."""
    if error.error_code not in NOT_THERE:
        raise error


def read_served(client: "MlflowClient", name: str, version: str) -> ServedModel:
    """A version as it serves; `LostModelError` where its files are gone or damaged.

    What looks damaged is read once more: a part of a file may have been read as all of it.
    """
    try:
        return _try_version(client, name, version)
    except LostModelError:
        return _try_version(client, name, version)


def _try_version(client: "MlflowClient", name: str, version: str) -> ServedModel:
    with tempfile.TemporaryDirectory() as folder:
        serving = _download(client, name, version, folder)
        try:
            return _parse(serving, version)
        except UNREADABLE as error:
            why = str(error) if isinstance(error, ContentError) else type(error).__name__
            raise _lost(name, version, f"cannot be used ({why})") from None


def _download(client: "MlflowClient", name: str, version: str, folder: str) -> Path:
    """What serving needs of a version, in a folder; `LostModelError` where there is nothing."""
    run_id = str(client.get_model_version(name, version).run_id)
    with reading_artifacts(f"{name} v{version}"):
        if not _is_kept(client, run_id):
            raise _lost(name, version, "are not in MLflow's store")
        return Path(client.download_artifacts(run_id, "serving", folder))


def _is_kept(client: "MlflowClient", run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return bool(client.list_artifacts(run_id, "serving"))
    except MlflowException as error:
        raise_unless_missing(error)
        return False


def _lost(name: str, version: str, what: str) -> LostModelError:
    return LostModelError(f"{name} v{version}: its files {what}", name)


def _parse(serving: Path, version: str) -> ServedModel:
    """The model in a folder, every file verified as far as its digest is known."""
    sums = serving / SUMS
    if sums.exists():  # models of earlier versions have none
        check_files(serving, parse_sums(sums.read_bytes()))
    onnx = (serving / "model.onnx").read_bytes()
    contract = parse_contract((serving / "contract.json").read_text(encoding="utf-8"))
    if digest_bytes(onnx) != contract.onnx_sha256:
        message = "model.onnx: does not have the digest in its contract"
        raise ContentError(message)
    promise, out_of_fold = _read_promise(serving)
    return ServedModel(
        version=version,
        onnx=onnx,
        contract=contract,
        train_digests=_read_train_rows(serving / TRAIN_ROWS),
        promise=promise,
        out_of_fold=out_of_fold,
    )


def _read_train_rows(path: Path) -> frozenset[str]:
    """Digests of the rows that a model was trained on; without them it cannot be compared."""
    rows = gzip.decompress(path.read_bytes()).decode().split("\n")
    if not all(ROW_DIGEST.fullmatch(row) for row in rows):
        message = f"{path.name}: wanted a digest in each line, of every row that it learnt from"
        raise ContentError(message)
    return frozenset(rows)


def _read_promise(serving: Path) -> tuple[Promise | None, OutOfFold | None]:
    """What the model promised; models that were made before promises were kept have none."""
    if not (serving / "promise.json").is_file():
        return None, None
    promise = read_promise(json.loads((serving / "promise.json").read_text(encoding="utf-8")))
    with np.load(serving / "out_of_fold.npz", allow_pickle=False) as arrays:
        answers = arrays["probabilities"].astype(np.float64)
        return promise, OutOfFold(answers, arrays["y"].astype(np.int64))
