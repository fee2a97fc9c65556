"""The page that shows how environments compare."""

import html
from collections.abc import Sequence

from driftline.agreement import Agreement
from driftline.served import ServedModel
from tasks.decorators import work

STYLE = """body{font-family:sans-serif;margin:2em;max-width:75em}table{border-collapse:collapse}
td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}
.equal{background:#e6f4e6}.different{background:#fbe3e1}.not-run{background:#f3f3f3}"""
HEADINGS = (
    "environment",
    "state",
    "why",
    "rows",
    "labels",
    "largest probability difference",
    "errors",
    "seconds to first answer",
)


@work(name="write agreement page")
def render_page(model: ServedModel, agreements: Sequence[Agreement]) -> bytes:
    """One table of states, one of metrics."""
    title = f"{html.escape(model.contract.title)}: version {html.escape(model.version)} everywhere"
    states = [_row(HEADINGS, "th", ""), *map(_state_row, agreements)]
    names = sorted({name for one in agreements for name in one.metrics})
    metrics = [_row(("environment", *names), "th", "")]
    metrics += [
        _row((one.name, *(f"{one.metrics[name]:.6f}" for name in names)), "td", "")
        for one in agreements
        if one.metrics
    ]
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>"
        "<p>The same records and the same wrong requests, sent to each environment; answers are "
        "compared with the fitted pipeline's, and errors with the predictor's.</p>"
        f"<table>{''.join(states)}</table>"
        f"<h2>Metrics on the snapshot's rows</h2><table>{''.join(metrics)}</table></body></html>\n"
    )
    return page.encode()


def _state_row(one: Agreement) -> str:
    gap = one.max_probability_difference
    cells = (
        one.name,
        one.state,
        one.why,
        str(one.rows or ""),
        _claim(one.labels_equal),
        "" if gap is None else f"{gap:.1e}",
        _claim(one.errors_equal),
        "" if one.seconds is None else f"{one.seconds:.2f}",
    )
    return _row(cells, "td", one.state.replace(" ", "-"))


def _claim(is_equal: bool | None) -> str:
    return {None: "", True: "equal", False: "different"}[is_equal]


def _row(cells: Sequence[str], kind: str, css: str) -> str:
    inner = "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells)
    return f'<tr class="{css}">{inner}</tr>'
