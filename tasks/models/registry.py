"""MLflow's model registry: versions of a problem's model and who holds which alias."""

import gzip
import json
import re
import tempfile
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bentos.takeover.content import SUMS, ContentError, check_files, parse_sums
from driftline.contract import Contract, parse_contract
from driftline.digests import digest_bytes
from driftline.errors import DriftlineError, LostModelError, NotFoundError
from driftline.journal import Anchor
from driftline.problem import Problem
from driftline.promise import OutOfFold, Promise, read_promise
from driftline.promotion import Decision
from driftline.served import ServedModel
from tasks.decorators import io
from tasks.progress import tell
from tasks.reaching import another_may_be_faster, open_client, reading_artifacts

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

CHAMPION = "champion"
CHALLENGER = "challenger"
CONTENDER = "contender"  # a version that answers part of the traffic, in a trial
TRAIN_ROWS = "train_rows.txt.gz"
ROW_DIGEST = re.compile(r"[0-9a-f]{64}(:[0-9]+)?")
# What reading a damaged file of any of our kinds raises.
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, zipfile.BadZipFile)
JOURNAL_HEAD = "journal_head"  # a tag of the registered model: number and hash of a row
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # what MLflow says of an alias


@io(name="register model")
def register_model(problem: Problem, *, run_id: str, model_uri: str, snapshot: str) -> str:
    """A new version of the problem's model; the version of this run where it exists already."""
    client = open_client()
    _ensure_model(client, problem)
    for version in client.search_model_versions(f"name='{problem.name}'"):
        if version.run_id == run_id:
            return str(version.version)
    created = client.create_model_version(
        problem.name,
        source=model_uri,
        run_id=run_id,
        tags={"snapshot": snapshot},
        model_id=_logged_model_in(model_uri),
    )
    return str(created.version)


def _logged_model_in(uri: str) -> str | None:
    """The id in `models:/m-...`: an MLflow server takes no such source without it."""
    name = uri.removeprefix("models:/")
    return name if name != uri and name.startswith("m-") else None


@io(name="bind contract")
def bind_contract(run_id: str, contract: Contract, version: str, *, is_promoted: bool) -> Contract:
    """Store the contract, now that it has a version, beside the model it belongs to."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    bound = contract.for_version(version, promoted_at=now if is_promoted else "")
    open_client().log_text(run_id, bound.to_json(), "serving/contract.json")
    return bound


@io(name="find run of version")
def run_of(problem: Problem, version: str) -> str:
    """The MLflow run that a registered version was made by."""
    return str(open_client().get_model_version(problem.name, version).run_id)


@io(name="find waiting version")
def find_waiting(problem: Problem) -> str | None:
    """The version that waits for a person: the challenger, else the newest that passed its gate."""
    query, client = f"name='{problem.name}' and tag.verdict='waiting'", open_client()
    versions = [int(each.version) for each in client.search_model_versions(query)]
    challenger = _version_of(client, problem.name, CHALLENGER)
    if challenger is not None and int(challenger) in versions:
        return challenger
    return str(max(versions)) if versions else None


@io(name="read verdict")
def read_verdict(problem: Problem, version: str) -> tuple[str, str]:
    """What the gate said of a registered version, and why; empty where it has said nothing."""
    tags = open_client().get_model_version(problem.name, version).tags
    return str(tags.get("verdict", "")), str(tags.get("reasons", ""))


@io(name="read champion")
def read_champion(problem: Problem) -> ServedModel | None:
    """The champion as it serves, or None where there is none yet."""
    return _read_by_alias(problem.name, CHAMPION)


@io(name="read model")
def read_model(problem: Problem, alias: str) -> ServedModel:
    """The model that holds an alias; `NotFoundError` says how to get one."""
    model = _read_by_alias(problem.name, alias)
    if model is None:
        message = (
            f"{problem.name}: no model holds the alias {alias!r}; "
            f"train one first (python -m flows.train {problem.name})"
        )
        raise NotFoundError(message)
    return model


@io(name="read aliases")
def read_holders(name: str) -> dict[str, str | None]:
    """Which version holds each of our aliases."""
    client = open_client()
    return {alias: _version_of(client, name, alias) for alias in (CHAMPION, CHALLENGER, CONTENDER)}


@io(name="look for version")
def has_version(name: str, version: str) -> bool:
    """Whether the registry has this version."""
    from mlflow.exceptions import MlflowException

    try:
        open_client().get_model_version(name, version)
    except MlflowException as error:
        _raise_unless_missing(error)
        return False
    return True


@io(name="tag decision")
def tag_decision(problem: Problem, version: str, decision: Decision) -> None:
    """Write the verdict and its reasons on the version."""
    client = open_client()
    client.set_model_version_tag(problem.name, version, "verdict", decision.verdict)
    client.set_model_version_tag(problem.name, version, "reasons", "; ".join(decision.reasons))


@io(name="move alias")
def move_alias(name: str, alias: str, version: str | None) -> None:
    """Give a version the alias, or nobody; doing it twice changes nothing."""
    client = open_client()
    if version is None:
        if _version_of(client, name, alias) is not None:
            client.delete_registered_model_alias(name, alias)
    else:
        client.set_registered_model_alias(name, alias, version)


@io(name="read journal's tag")
def read_head(name: str) -> Anchor | None:
    """The newest row of the journal that the registered model's tag names."""
    return _head(open_client(), name)


@io(name="tag journal's head")
def tag_head(name: str, head: Anchor) -> None:
    """Name the journal's newest row on the registered model; a tag that names a later one stays."""
    client = open_client()
    tagged = _head(client, name)
    if tagged is None or tagged.number < head.number:
        text = f"{head.number}-{head.sha256}"
        client.set_registered_model_tag(name, JOURNAL_HEAD, text)


def _head(client: "MlflowClient", name: str) -> Anchor | None:
    from mlflow.exceptions import MlflowException

    try:
        text = client.get_registered_model(name).tags.get(JOURNAL_HEAD, "")
    except MlflowException as error:
        _raise_unless_missing(error)
        return None
    number, _, sha256 = text.partition("-")
    return Anchor(int(number), sha256) if number.isdigit() else None


def _ensure_model(client: "MlflowClient", problem: Problem) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(problem.name)
    except MlflowException as error:
        _raise_unless_missing(error)
        with another_may_be_faster():
            client.create_registered_model(problem.name, description=problem.title)


def _version_of(client: "MlflowClient", name: str, alias: str) -> str | None:
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        _raise_unless_missing(error)
        return None


def _raise_unless_missing(error: "MlflowException") -> None:
    """A registry that does not answer must not be taken for one without a champion."""
    if error.error_code not in NOT_THERE:
        raise error


@io(name="read version")
def read_version(problem: Problem, version: str) -> ServedModel | None:
    """A registered version as it would serve, or None where the registry has no such version."""
    from mlflow.exceptions import MlflowException

    client = open_client()
    try:
        client.get_model_version(problem.name, version)
    except MlflowException as error:
        _raise_unless_missing(error)
        return None
    return _read_version(client, problem.name, version)


def read_if_there(problem: Problem, version: str) -> ServedModel | None:
    """A version, or None where it cannot be had: whoever is only compared with costs no verdict."""
    try:
        return read_version(problem, version)
    except DriftlineError as error:
        tell(f"version {version} cannot be asked: {error}")
        return None


def _read_by_alias(name: str, alias: str) -> ServedModel | None:
    client = open_client()
    version = _version_of(client, name, alias)
    return None if version is None else _read_version(client, name, version)


def _read_version(client: "MlflowClient", name: str, version: str) -> ServedModel:
    """Read it, and once more where it looks damaged: a part of a file may have been read as all."""
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
        _raise_unless_missing(error)
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
