"""A join that training and serving are tried with."""

from typing import Any

LABS: dict[str, Any] = {
    "source": "labs.csv",
    "key": "patient",
    "as_of": "visited",
    "at": "taken",
    "fields": ["level", "sex"],
    "max_age": "90 days",
}
