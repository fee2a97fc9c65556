"""Runs a flow in processes that are killed with -9 when a task of theirs has ended.

`python -m tests.flows.dying HOMES FLOW TASK,TASK... PARAMETERS...`: everything is imported once,
and each run is a fork with a copy of `HOMES/template` as its state folder. A killed run is followed
by a whole one in the same folder. Prints for each task its name, the folder, and how both ended.
"""

import gc
import importlib
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from prefect import Task

import flows  # noqa: F401 - points the tools at a state folder
from tasks.settings import get_settings

AHEAD = (
    "mlflow.sklearn",
    "great_expectations",
    "sklearn.ensemble",
    "evidently.presets",
    "skops.io",
    "skl2onnx",
    "matplotlib.pyplot",
)


def strike_after(name: str, blow: signal.Signals) -> None:
    """Send this process a signal when the first task of that name has ended."""
    call, is_struck = Task.__call__, False

    def deadly(task: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal is_struck
        outcome = call(task, *args, **kwargs)
        if task.name == name and not is_struck:
            is_struck = True
            os.kill(os.getpid(), blow)
        return outcome

    Task.__call__ = deadly  # type: ignore[method-assign]


def run(flow: Any, words: dict[str, Any], home: Path, *, after: str = "") -> int:
    """Fork, run, and wait; returns the exit code."""
    pid = start(flow, words, home, after=after, blow=signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def start(flow: Any, words: dict[str, Any], home: Path, *, after: str, blow: signal.Signals) -> int:
    """Fork and run; returns the process id."""
    pid = os.fork()
    if not pid:
        os.environ |= {
            "DRIFTLINE_HOME": str(home),
            "BENTOML_HOME": str(home / "bentoml"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}",
        }
        get_settings.cache_clear()
        strike_after(after, blow)
        try:
            flow(**words)
        except BaseException:  # noqa: BLE001 - whatever it is, this process is a copy and must end
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def main() -> None:
    """Kill after one task, then after the next, and so on."""
    homes, name, tasks, *given = sys.argv[1:]
    for module in AHEAD:
        importlib.import_module(module)
    flow = getattr(importlib.import_module(f"flows.{name}"), name)
    gc.freeze()  # what was imported stays shared by the forks
    words: dict[str, Any] = dict(word.split("=", 1) for word in given)
    for after in tasks.split(","):
        home = Path(homes) / f"{name} {after}".replace(" ", "-")
        shutil.copytree(Path(homes) / "template", home)
        died = run(flow, words, home, after=after)
        again = run(flow, words, home)
        sys.stdout.write(f"{after}\t{home}\t{died}\t{again}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
