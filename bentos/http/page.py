"""The service's own pages: for people at `/`, and its description by Swagger UI at `/docs`.

The page at `/` has a form that asks this service and no other. Where a key is demanded, what only
its holders are told stands in `GET /model` alone.
"""

import html
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bentos.http import openapi
from bentos.http.about import tell_model
from bentos.replies import Reply
from driftline.contract import Contract
from driftline.fields import FieldSpec
from driftline.telling import tell_purpose, tell_quality, tell_service

PATHS = frozenset({"/", "/docs", "/page.js", "/page.css"})
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
HTML = "text/html; charset=utf-8"
OWN_ALONE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
STRICT = (
    ("content-security-policy", OWN_ALONE),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-cache"),
)
DOCS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="./static_content/swagger-ui.css"></head><body><div id="page"></div>
<script src="./static_content/swagger-ui-bundle.js"></script><script>
SwaggerUIBundle({{url: "./openapi.json", dom_id: "#page", tryItOutEnabled: true}})
</script></body></html>"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="./page.css">
<script src="./page.js" defer></script></head><body><main>
<h1>{title}</h1><p>{purpose}</p>
<h2>How good it is</h2>{quality}
<h2>Ask</h2><p>What you enter is sent to this service alone, which logs it with its answer.</p>
<noscript><p>The form needs the script that this service brings.</p></noscript>
<form id="ask" autocomplete="off">{key}{entries}<p><button>Ask the model</button></p></form>
<section id="answer" aria-live="polite" tabindex="-1"></section>
<h2>The fields</h2>{fields}
<h2>The API</h2>{api}
<p>Try it out in the <a href="./docs">description of the API</a>, which is also there
<a href="./openapi.json">for programs</a>.</p>
</main></body></html>
"""
KEY = '<p><label for="key">Key</label><input id="key" type="password" autocomplete="off"></p>'
KEYED = "That is told to those who have a key, by GET /model."


def show(path: str, contract: Contract, *, demands_key: bool = False) -> Reply:
    """What stands on one of `PATHS`."""
    ending = Path(path).suffix
    if ending in KINDS:
        return Reply(200, _read(path), STRICT, content_type=KINDS[ending])
    if path == "/docs":
        text = DOCS.format(title=html.escape(contract.title))
        return Reply(200, text.encode(), content_type=HTML)
    page = render(contract, demands_key=demands_key)
    return Reply(200, page.encode(), STRICT, content_type=HTML)


def render(contract: Contract, *, demands_key: bool) -> str:
    """The page for people."""
    model = tell_model(contract)
    told = [KEYED] if demands_key else [*tell_quality(model), tell_service(model)]
    heads = ("field", "meaning", "unit", "values", "missing")
    return PAGE.format(
        title=html.escape(contract.title),
        purpose=html.escape(tell_purpose(model)),
        quality="".join(f"<p>{html.escape(each)}</p>" for each in told),
        key=KEY if demands_key else "",
        entries="".join(
            _entry(i, field, told["typical"])
            for i, (field, told) in enumerate(zip(contract.fields, model["fields"], strict=True))
        ),
        fields=_table(heads, openapi.rows_of_fields(contract)) + _computed(contract),
        api=_table(("request", "what it does"), _operations(contract)),
    )


def _computed(contract: Contract) -> str:
    told = openapi.tell_computed_of(contract)
    return f"<p>{html.escape(told)}</p>" if told else ""


def _entry(place: int, field: FieldSpec, typical: Any) -> str:
    """A labelled entry; it has no name, so that a browser puts it into no address."""
    label = " ".join(each for each in (field.name, f"({field.unit})" if field.unit else "") if each)
    own = f'id="f{place}" data-field="{html.escape(field.name)}" data-kind="{field.kind}"'
    required = "" if field.allow_missing else " required"
    start = "" if field.allow_missing else html.escape(str(typical))
    if field.kind == "category":
        entry = f"<select {own}{required}>{_options(field, start)}</select>"
    elif field.kind == "date":
        entry = f'<input {own}{required} value="{start}" placeholder="2024-12-31">'
    else:
        entry = f'<input {own}{required} type="number" value="{start}" {_bounds(field)}>'
    return f'<p><label for="f{place}">{html.escape(label)}</label>{entry}</p>'


def _options(field: FieldSpec, start: str) -> str:
    names = [html.escape(name) for name in field.categories]
    lines = [f"<option{' selected' if name == start else ''}>{name}</option>" for name in names]
    return "".join(['<option value="">unknown</option>', *lines] if field.allow_missing else lines)


def _bounds(field: FieldSpec) -> str:
    step = "1" if field.kind == "integer" else "any"
    if field.low is None or field.high is None:
        return f'step="{step}"'
    return f'step="{step}" min="{field.low!r}" max="{field.high!r}"'


def _operations(contract: Contract) -> list[tuple[str, str]]:
    paths = openapi.describe(contract)["paths"]
    return [
        (f"{method.upper()} {path}", operation["summary"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{heads[0]}s"><table><thead>'
        f"<tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


@cache
def _read(path: str) -> bytes:
    """A file beside this module."""
    return Path(__file__).with_name(path.lstrip("/")).read_bytes()
