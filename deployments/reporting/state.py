"""The state of a problem as JSON, for the page of its owner: journal, verdicts, newest runs.

Read only. It tells what was decided and why, and of no record a value.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from driftline.errors import NotFoundError
from driftline.problem import check_name
from tasks.decorators import without_task_runs
from tasks.log.journal import read_journal
from tasks.log.verdicts import read_verdicts
from tasks.settings import get_settings

MOST_VERDICTS = 200
FLOWS = ("pipeline", "train", "monitor", "replay", "rollback")


def tell(problem: str, name: str) -> bytes:
    """One of `STATE` of a problem; `NotFoundError` for another name."""
    read = STATE.get(name)
    if read is None:
        message = f"got {name!r}, wanted one of {', '.join(STATE)}"
        raise NotFoundError(message)
    check_name(problem)
    with without_task_runs():
        return json.dumps(read(problem)).encode()


def _journal(problem: str) -> list[Mapping[str, Any]]:
    """Who held which alias when, the first one first."""
    return [asdict(entry) for entry in read_journal(problem)]


def _verdicts(problem: str) -> list[Mapping[str, Any]]:
    """The newest verdicts, the newest first; of a report its name in `drift`."""
    told = read_verdicts(problem, MOST_VERDICTS)
    return [asdict(one) | {"report": PurePosixPath(one.report).name} for one in told]


def _runs(problem: str) -> dict[str, Any]:
    """The summary of the newest run of each flow on this machine, and when it ended."""
    folder = get_settings().home / "runs"
    files = {flow: folder / f"{flow}-{problem}-latest.json" for flow in FLOWS}
    return {flow: _summary(path) for flow, path in files.items() if path.exists()}


def _summary(path: Path) -> dict[str, Any]:
    ended = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return summary | {"ended_at": ended.isoformat()}


STATE: Mapping[str, Callable[[str], Any]] = {
    "journal.json": _journal,
    "verdicts.json": _verdicts,
    "runs.json": _runs,
}
