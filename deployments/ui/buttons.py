"""Starts runs of deployments through Prefect's HTTP API, and tells how they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployments.ui.client import NOT_FOUND, RefusedError, ask
from driftline.errors import NotFoundError

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}  # Prefect's types of states


@dataclass(frozen=True)
class Run:
    """How a run is, in a sentence, and whether it has come to its end."""

    sentence: str
    is_over: bool


@dataclass(frozen=True)
class Prefect:
    """A server, and how it knows who asks."""

    api: str
    headers: Mapping[str, str]

    def start(self, flow: str, problem: str, told: Mapping[str, Any]) -> str:
        """Order a run of `<flow>/<problem>` that is told so; its id.

        `NotFoundError` where nothing is deployed.
        """
        name = f"{flow}/{problem.replace('_', '-')}"
        try:
            deployment = self._ask(f"/deployments/name/{name}")
        except RefusedError as error:
            if error.status != NOT_FOUND:
                raise
            message = f"Prefect has no deployment {name}; make up makes it"
            raise NotFoundError(message) from None
        parameters = {"problem": problem, **told}
        path = f"/deployments/{deployment['id']}/create_flow_run"
        return str(self._ask(path, {"parameters": parameters})["id"])

    def read_run(self, run_id: str) -> Run:
        """How a run is."""
        run = self._ask(f"/flow_runs/{run_id}")
        state = run.get("state") or {"name": "unknown", "type": ""}
        sentence = f"The run {run['name']} is {state['name'].lower()}."
        return Run(sentence, state["type"] in FINAL)

    def _ask(self, path: str, document: Any = None) -> Any:
        return ask(self.api + path, document, headers=self.headers)
