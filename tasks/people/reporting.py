"""What a run leaves for people: its summary file and its artifacts in the Prefect UI."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tasks.drafts import whole_file
from tasks.settings import get_settings


def write_summary(run_id: str, summary: Mapping[str, Any]) -> Path:
    """Write `runs/<run-id>/summary.json`; each file appears whole.

    It becomes `runs/latest.json`, and the latest of its flow and problem by their names.
    """
    runs = get_settings().home.absolute() / "runs"
    folder = runs / run_id
    content = json.dumps(summary, indent=2, default=_plain) + "\n"
    about = "-".join(str(summary[key]) for key in ("flow", "problem") if summary.get(key))
    latest = [runs / "latest.json", *([runs / f"{about}-latest.json"] if about else [])]
    for path in (folder / "summary.json", *latest):
        with whole_file(path) as draft:
            draft.write_text(content, encoding="utf-8")
    return folder / "summary.json"


def show_table(key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
    """A table in the Prefect UI."""
    from prefect.artifacts import create_table_artifact

    create_table_artifact(key=key, table=[dict(row) for row in rows], description=description)


def show_text(key: str, markdown: str, description: str) -> None:
    """A page of text in the Prefect UI."""
    from prefect.artifacts import create_markdown_artifact

    create_markdown_artifact(key=key, markdown=markdown, description=description)


def show_link(key: str, address: str, text: str) -> None:
    """A link in the Prefect UI to a report in the store."""
    from prefect.artifacts import create_link_artifact

    create_link_artifact(key=key, link=link_to(address), link_text=text)


def link_to(address: str) -> str:
    """A report's address as a browser can open it, where a report server is known."""
    server = get_settings().reports_url.rstrip("/")
    folder = f"{get_settings().store}/reports/"
    if server and address.startswith(folder):
        return f"{server}/{quote(address.removeprefix(folder))}"
    return address if "://" in address else Path(address).absolute().as_uri()


def _plain(value: Any) -> Any:
    """Numpy numbers and tuples as JSON's own."""
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)
