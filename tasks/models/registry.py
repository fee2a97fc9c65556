"""MLflow's model registry: versions of a problem's model and who holds which alias."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftline.contract import Contract
from driftline.errors import DriftlineError, NotFoundError
from driftline.journal import Anchor
from driftline.problem import Problem
from driftline.promotion import Decision
from driftline.served import ServedModel
from tasks.decorators import io
from tasks.models.serving_files import raise_unless_missing, read_served
from tasks.progress import tell
from tasks.reaching import another_may_be_faster, open_client

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
CHALLENGER = "challenger"
CONTENDER = "contender"  # a version that answers part of the traffic, in a trial
JOURNAL_HEAD = "journal_head"  # a tag of the registered model: number and hash of a row


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
        held = ", ".join(_held_aliases(open_client(), problem.name))
        wanted = (
            f"wanted one that a model holds: {held}"
            if held
            else f"train one first (python -m flows.train {problem.name})"
        )
        message = f"{problem.name}: no model holds the alias {alias!r}; {wanted}"
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
        raise_unless_missing(error)
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
        raise_unless_missing(error)
        return None
    number, _, sha256 = text.partition("-")
    return Anchor(int(number), sha256) if number.isdigit() else None


def _ensure_model(client: "MlflowClient", problem: Problem) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(problem.name)
    except MlflowException as error:
        raise_unless_missing(error)
        with another_may_be_faster():
            client.create_registered_model(problem.name, description=problem.title)


def _held_aliases(client: "MlflowClient", name: str) -> list[str]:
    from mlflow.exceptions import MlflowException

    try:
        return sorted(client.get_registered_model(name).aliases)
    except MlflowException as error:
        raise_unless_missing(error)
        return []


def _version_of(client: "MlflowClient", name: str, alias: str) -> str | None:
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        raise_unless_missing(error)
        return None


@io(name="read version")
def read_version(problem: Problem, version: str) -> ServedModel | None:
    """A registered version as it would serve, or None where the registry has no such version."""
    from mlflow.exceptions import MlflowException

    client = open_client()
    try:
        client.get_model_version(problem.name, version)
    except MlflowException as error:
        raise_unless_missing(error)
        return None
    return read_served(client, problem.name, version)


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
    return None if version is None else read_served(client, name, version)
