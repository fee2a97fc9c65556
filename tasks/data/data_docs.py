"""Great Expectations' page of a validation, complete in one file, with what each rule means.

The library's own page fetches its style and scripts from seven places of the network.
"""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from driftline.expectations import Expectation

STYLE: Final = Path(__file__).with_name("data_docs.css")
_SCRIPTS = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_FETCHED = re.compile(r"<(?:link|img)\b[^>]*(?:href|src)=\"https?:[^>]*>", re.IGNORECASE)


def render_page(
    result: Any, outcomes: Sequence[tuple[Expectation, bool]], read_as: str = ""
) -> bytes:
    """The page of a validation's result, headed by each rule, its meaning and whether it held.

    Above them stands how the table was read, where that was not plain.
    """
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    page: str = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    page = _FETCHED.sub("", _SCRIPTS.sub("", page))
    style = f"<style>{STYLE.read_text(encoding='utf-8')}</style></head>"
    page = page.replace("</head>", style, 1)
    return page.replace("<body>", f"<body>{_meanings(outcomes, read_as)}", 1).encode()


def _meanings(outcomes: Sequence[tuple[Expectation, bool]], read_as: str) -> str:
    rows = [
        (
            str(expectation.arguments.get("column", "table")),
            expectation.meaning or expectation.expect,
            expectation.severity,
            "held" if holds else "failed",
        )
        for expectation, holds in outcomes
    ]
    cells = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    head = "".join(f"<th>{name}</th>" for name in ("about", "meaning", "severity", "outcome"))
    lines = "".join(f"<tr>{line}</tr>" for line in cells)
    how = f"<p>read as: {html.escape(read_as)}</p>" if read_as else ""
    return f'<section class="meanings">{how}<table><tr>{head}</tr>{lines}</table></section>'
