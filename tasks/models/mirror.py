"""Weights & Biases beside MLflow: a training's figures, where `DRIFTLINE_SECOND_TRACKER` asks.

MLflow stays what the loop goes by. No row, no model, no code, no command line and no name of this
machine is handed over; without `WANDB_API_KEY` nothing leaves it either.
"""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from driftline.errors import SettingsError
from driftline.problem import Problem
from driftline.training import Trained
from tasks.decorators import work
from tasks.progress import tell
from tasks.settings import get_settings

WANDB = "wandb"
LOCK = "deployments/wandb/requirements.lock"
START_SECONDS = 30.0


@work(name="look for second tracker")
def check_second_tracker() -> None:
    """`SettingsError` where one is wanted that there is not."""
    wanted = get_settings().second_tracker
    if wanted not in {"", WANDB}:
        message = f"DRIFTLINE_SECOND_TRACKER: got {wanted!r}, wanted {WANDB!r} or nothing"
        raise SettingsError(message)
    if wanted and not _is_installed():
        message = (
            f"DRIFTLINE_SECOND_TRACKER: {WANDB} is not installed; wanted it beside the others: "
            f"uv pip install --require-hashes -r {LOCK}"
        )
        raise SettingsError(message)


def _is_installed() -> bool:
    """A folder of runs in the current one, which bears the same name, is no package."""
    found = find_spec(WANDB)
    return found is not None and found.origin is not None


@work(name="log to second tracker")
def mirror_training(
    problem: Problem,
    trained: Sequence[Trained],
    winner: Trained,
    *,
    run_id: str,
    parameters: Mapping[str, Any],
) -> None:
    """Log the winner's figures, and each candidate's below its name; a failure is told, no more.

    `run_id` is MLflow's, by which both are found.
    """
    if not get_settings().second_tracker:
        return
    figures: dict[str, float] = winner.flat_metrics()
    for one in trained:
        figures |= {f"{one.name}/{name}": value for name, value in one.flat_metrics().items()}
    config = {**parameters, "candidate": winner.name, "mlflow_run_id": run_id}
    try:
        _log(problem.name, run_id, config, figures)
    except Exception as error:  # noqa: BLE001 - MLflow has the figures; a mirror fails no training
        tell(f"Weights & Biases did not take the figures ({type(error).__name__}); MLflow has them")


def _log(name: str, run_id: str, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read while it is imported
    import wandb

    folder = get_settings().home.absolute() / WANDB
    folder.mkdir(parents=True, exist_ok=True)
    is_known = bool(os.environ.get("WANDB_API_KEY"))
    run = wandb.init(
        project=os.environ.get("WANDB_PROJECT", "driftline"),
        name=f"train {name}",
        group=name,
        id=run_id,
        dir=str(folder),
        mode=os.environ.get("WANDB_MODE") or ("online" if is_known else "offline"),
        config=dict(config),
        settings=wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            host="",
            program="",
            init_timeout=START_SECONDS,
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
        ),
    )
    run.log(dict(figures))
    run.finish()
