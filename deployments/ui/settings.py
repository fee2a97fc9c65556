"""Where the page finds what it talks to, from the environment."""

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urlsplit

from driftline.errors import SettingsError

LOCAL_SERVICE = "http://127.0.0.1:3000"
LOCAL_REPORTS = "http://127.0.0.1:5001"
LOCAL_PREFECT = "http://127.0.0.1:4200/api"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def services(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`DRIFTLINE_SERVICES`: address by problem; by default the service of this machine.

    A name of "" is asked of the service itself.
    """
    text = environment.get("DRIFTLINE_SERVICES", "").strip()
    if not text:
        return {"": LOCAL_SERVICE}
    found: dict[str, str] = {}
    for place, part in enumerate(each.strip() for each in text.split(",") if each.strip()):
        name, sign, address = part.partition("=")
        if not sign or not _NAME.fullmatch(name.strip()):
            message = (
                f"DRIFTLINE_SERVICES: part {place + 1} is not problem=http://host:port; "
                "wanted such parts by commas"
            )
            raise SettingsError(message)
        found[name.strip()] = _address("DRIFTLINE_SERVICES", address.strip())
    return found


def reports_url(environment: Mapping[str, str] = os.environ) -> str:
    """`DRIFTLINE_REPORTS_URL`: where browsers find the reports."""
    return _address(
        "DRIFTLINE_REPORTS_URL", environment.get("DRIFTLINE_REPORTS_URL") or LOCAL_REPORTS
    )


def state_url(environment: Mapping[str, str] = os.environ) -> str:
    """`DRIFTLINE_STATE_URL`: the report server as the page itself reaches it."""
    given = environment.get("DRIFTLINE_STATE_URL")
    return _address("DRIFTLINE_STATE_URL", given) if given else reports_url(environment)


def prefect_url(environment: Mapping[str, str] = os.environ) -> str:
    """`PREFECT_API_URL`: whose deployments the buttons run."""
    return _address("PREFECT_API_URL", environment.get("PREFECT_API_URL") or LOCAL_PREFECT)


def api_key(environment: Mapping[str, str] = os.environ) -> str:
    """`DRIFTLINE_API_KEY`, by default the first of the service's own; "" for none."""
    given = environment.get("DRIFTLINE_API_KEY") or environment.get("DRIFTLINE_API_KEYS", "")
    return given.split(",")[0].strip()


def prefect_headers(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """How Prefect knows the page: `PREFECT_API_KEY` or `PREFECT_API_AUTH_STRING`, if there is."""
    if key := environment.get("PREFECT_API_KEY"):
        return {"authorization": f"Bearer {key}"}
    if words := environment.get("PREFECT_API_AUTH_STRING"):
        return {"authorization": f"Basic {b64encode(words.encode()).decode()}"}
    return {}


def _address(setting: str, text: str) -> str:
    """An http or https address without its last slash; it may hold a password, so none is told."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        message = f"{setting}: got an address that is not of http, wanted http://host:port"
        raise SettingsError(message)
    return text.rstrip("/")
