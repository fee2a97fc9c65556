"""Starts runs of deployments through Prefect's HTTP API, and tells how they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployments.ui.client import NOT_FOUND, RefusedError, ask
from driftline.errors import NotFoundError


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

    def tell_state(self, run_id: str) -> str:
        """How a run is, in a sentence."""
        run = self._ask(f"/flow_runs/{run_id}")
        state = run["state"]["name"].lower() if run.get("state") else "unknown"
        return f"The run {run['name']} is {state}."

    def _ask(self, path: str, document: Any = None) -> Any:
        return ask(self.api + path, document, headers=self.headers)
