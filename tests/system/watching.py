"""A flow that is watched while it runs, so that a fault strikes at a known step; what it left."""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from sqlalchemy import text

from bentos.log.database import open_engine
from driftline.journal import Entry, find_breaks
from tests.forked import Forked
from tests.support import TINY
from tests.system.service import await_that

STEP_SECONDS, END_SECONDS = 120.0, 240.0
RUNS = 1 + len(TINY["candidates"])  # of MLflow: a training's own, and one a candidate


class Watched:
    """A flow's process, and what it has said so far."""

    def __init__(self, process: Forked) -> None:
        """Read along until it ends."""
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def await_line(self, words: str, times: int = 1) -> None:
        """Wait until it has said this, so many times."""

        def is_said() -> bool:
            return self.output.count(words) >= times

        await_that(lambda: is_said() or self.process.poll() is not None, STEP_SECONDS)
        assert is_said(), self.output

    def end(self) -> int:
        """Wait for its end; its exit code."""
        try:
            code = self.process.wait(END_SECONDS)
        finally:
            self.process.kill()
        self._reader.join()
        return code

    @property
    def output(self) -> str:
        """All that it has said."""
        return "".join(self.lines)

    @property
    def said(self) -> list[str]:
        """The same by lines, those of libraries' warnings left out."""
        return [line.rstrip() for line in self.lines]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)


@dataclass(frozen=True)
class Left:
    """What flows have left in a state folder, or in the places that the environment names."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, Any]:
        """Summary of the last run that came to an outcome."""
        told: dict[str, Any] = json.loads((self.home / "runs" / "latest.json").read_text())
        return told

    @property
    def client(self) -> MlflowClient:
        """MLflow, as the flows reached it."""
        default = f"sqlite:///{self.home / 'mlflow.db'}"
        return MlflowClient(self.env.get("MLFLOW_TRACKING_URI", default))

    @property
    def entries(self) -> list[Entry]:
        """The journal."""
        default = f"sqlite:///{self.home / 'predictions.db'}"
        engine = open_engine(self.env.get("DRIFTLINE_DATABASE_URL", default))
        with engine.connect() as connection:
            rows = connection.execute(text("select * from journal order by number")).mappings()
            found = [Entry(**row) for row in rows]
        engine.dispose()
        return found

    def breaks(self) -> list[str]:
        """What is wrong with the journal, against who holds which alias."""
        aliases = self.client.get_registered_model("tiny").aliases
        holders = {
            alias: str(aliases[alias]) if alias in aliases else None
            for alias in ("champion", "challenger")
        }
        return find_breaks(self.entries, holders)

    def champion(self) -> str:
        """The version that holds the alias."""
        return str(self.client.get_model_version_by_alias("tiny", "champion").version)

    def run_states(self) -> list[str]:
        """How MLflow says that each run ended."""
        found = self.client.get_experiment_by_name("tiny")
        assert found is not None
        return [run.info.status for run in self.client.search_runs([found.experiment_id])]
