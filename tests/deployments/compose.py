"""The compose file, as it says things and as it would be run on this machine without containers."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.support import ROOT

FILE = ROOT / "deployments" / "compose.yaml"
TEXT = FILE.read_text("utf-8")
VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^}]*)|:\?)?\}")

KEPT = ("PATH", "LANG", "PYTHONDONTWRITEBYTECODE")

Service = dict[str, Any]


def read(given: Mapping[str, str], text: str = TEXT) -> dict[str, Service]:
    """The services, with variables of the environment filled in as Compose does."""
    services: dict[str, Service] = fill(yaml.safe_load(text)["services"], given)
    return services


def fill(value: Any, given: Mapping[str, str]) -> Any:
    """A value with its variables filled in, however deep they are."""
    if isinstance(value, dict):
        return {name: fill(each, given) for name, each in value.items()}
    if isinstance(value, list):
        return [fill(each, given) for each in value]
    if not isinstance(value, str):
        return value

    def find(found: re.Match[str]) -> str:
        named = given.get(found[1]) or found[2]
        assert named is not None, f"{found[1]} is wanted"
        return named

    return VARIABLE.sub(find, value)


def is_job(service: Service) -> bool:
    """Whether it ends by itself."""
    return service.get("restart") == "no"


def in_order(services: Mapping[str, Service]) -> Iterator[str]:
    """Names, each after those that it waits for."""
    told: set[str] = set()
    while len(told) < len(services):
        ready = [
            name
            for name, service in services.items()
            if name not in told and set(service.get("depends_on", ())) <= told
        ]
        assert ready, "they wait for each other"
        told.update(ready)
        yield from ready


def on_this_machine(ports: Mapping[str, int], folders: Mapping[str, str]) -> str:
    """The text with every service at a port of this machine, and folders for its volumes."""
    text = re.sub(r"\b(?:service|reports|alertmanager|prefect|postgres):(?=\d)", "127.0.0.1:", TEXT)
    text = text.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - it goes
    for port, ours in ports.items():
        text = re.sub(rf"\b{port}\b", str(ours), text)
    for folder, ours_there in folders.items():
        text = re.sub(rf"(?<![\w.]){folder}\b", ours_there, text)
    return text


def environment(service: Service, more: Mapping[str, str]) -> dict[str, str]:
    """What a program of the service is given: its own variables, and nothing of the test's."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    given = {name: str(value) for name, value in service.get("environment", {}).items()}
    return kept | {"PYTHONPATH": str(ROOT)} | given | dict(more)
