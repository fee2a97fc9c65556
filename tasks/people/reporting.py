"""What a run leaves for people: its summary file and its artifacts in the Prefect UI."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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

    link = address if "://" in address else Path(address).absolute().as_uri()
    create_link_artifact(key=key, link=link, link_text=text)


def _plain(value: Any) -> Any:
    """Numpy numbers and tuples as JSON's own."""
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)
