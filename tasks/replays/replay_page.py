"""The page and the document of a replay: what to set, how each policy did, and our verdicts."""

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from driftline.courses import draw_hindsight, draw_losses
from driftline.regret import DRIFTLINE, Outcome, Setting, choose_setting, recommend
from driftline.replay import Replay
from tasks.decorators import work
from tasks.replays.replaying import Tried

STYLE = """body{font-family:sans-serif;margin:2em;max-width:75em;line-height:1.45}
table{border-collapse:collapse;margin:.5em 0}td,th{border:1px solid #ccc;padding:.3em .6em;
text-align:left;vertical-align:top}td.n{text-align:right}tr.own{background:#fdf0ee;font-weight:bold}
tr.retrain{background:#fff4d6}tr.quarantine{background:#fbe3e1}svg{max-width:100%;height:auto}
h1{overflow-wrap:anywhere}.wide{overflow-x:auto}@media(max-width:40em){body{margin:1em}}
.lead{font-size:1.15em;border-left:4px solid #c0392b;padding-left:1em}"""
NOTES = {
    "next": (
        "A window whose inputs look broken is a quarantine: nothing is trained after it, and its "
        "labels are not judged. A person is taken to look and to release it before the next "
        "window; from then on its labels count, and the same finding holds nothing up."
    ),
    "never": (
        "A window whose inputs look broken is a quarantine: nothing is trained after it, and its "
        "labels are never judged, since nobody releases anything in this replay (--release never)."
    ),
}
PAST = (
    "The rows of such a window still stand in the past that later models learn from, since each "
    "window's model is made once, for all policies."
)


def replay_section(replay: Replay, tried: Tried, facts: dict[str, Any]) -> dict[str, Any]:
    """The summary's section: the figures of each policy, the best in hindsight, what to set."""
    return facts | {
        "rows": len(replay.history.table),
        "windows": replay.history.windows,
        "label_delay": replay.delay,
        "loss": replay.history.problem.drift.loss,
        "policies": [
            asdict(outcome) | {"seconds": seconds}
            for outcome, seconds in zip(tried.outcomes, tried.seconds, strict=True)
        ],
        "hindsight": [asdict(best) for best in tried.yardstick.best],
        "recommendation": recommend(tried.settings, tried.yardstick),
    }


@work(name="write replay document")
def render_document(section: dict[str, Any], tried: Tried) -> bytes:
    """The section, with every step of every policy and every setting that was tried."""
    document = section | {
        "settings": [asdict(setting) for setting in tried.settings],
        "courses": {
            course.policy: [asdict(step) for step in course.steps] for course in tried.courses
        },
    }
    return (json.dumps(document, indent=2) + "\n").encode()


@work(name="write replay page")
def render_page(replay: Replay, section: dict[str, Any], tried: Tried, *, release: str) -> bytes:
    """Everything on one page that needs nothing else."""
    problem, metric = replay.history.problem, section["loss"]
    title = html.escape(f"{problem.title}: a replay of {section['source']}")
    order = section["order_by"] or "the order of the file"
    told = (
        f"{section['rows']} rows in {section['windows']} windows by {order}; {section['left_out']} "
        f"rows that break the contract were left out; labels are known {section['label_delay']} "
        f"windows later; models: {section['candidate']} with its defaults. The first window trains "
        f"the first champion, the others are answered in turn. Lower {metric} is better."
    )
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="lead">{html.escape(section["recommendation"])}</p>',
        f"<p>{html.escape(told)}</p>",
        "<h2>Policies</h2>",
        _policies(tried.outcomes, tried.seconds),
        f"<p>{html.escape(_legend())}</p>",
        f"<h2>Loss over time</h2>{draw_losses(tried.courses, metric)}",
        "<h2>The best in hindsight</h2>",
        draw_hindsight(tried.yardstick.best, tried.outcomes, metric),
        "<h2>Driftline, window by window</h2>",
        f"<p>{html.escape(f'{NOTES[release]} {PAST}')}</p>",
        _verdicts(tried),
        "<h2>Other settings of Driftline's policy</h2>",
        f"<p>{html.escape(_grid_note())}</p>",
        _settings(tried.settings),
    ]
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )
    return page.encode()


def _legend() -> str:
    return (
        "A full training searches and compares anew, a refit makes the champion's own recipe again "
        "on newer rows; here both make the same model, they differ in what they cost. The gain is "
        "what a policy saves over never retraining, as a share of what retraining every window "
        "through the gate saves. Regret is what is lost per window against the best that was "
        "possible in hindsight: with as many new champions, and with any number."
    )


def _grid_note() -> str:
    return (
        "The same history under other prices (drift.cost) and paces (drift.pace). What a training "
        "costs you is not known here: choose by how much is saved for how many trainings. Whatever "
        "is chosen from this table was chosen on this very history."
    )


def _policies(outcomes: Sequence[Outcome], seconds: Sequence[float]) -> str:
    heads = ("policy", *FIGURES, "seconds")
    rows = [
        _row([one.name, *_figures(one), f"{taken:.1f}"], css="own" if one.name == DRIFTLINE else "")
        for one, taken in zip(outcomes, seconds, strict=True)
    ]
    return _table(heads, rows)


FIGURES = (
    "mean loss",
    "full trainings",
    "refits",
    "new champions",
    "gain",
    "regret, as many champions",
    "regret",
)


def _figures(outcome: Outcome) -> list[str]:
    share = outcome.share_of_gain
    return [
        f"{outcome.loss:.4f}",
        str(outcome.full),
        str(outcome.refits),
        str(outcome.promotions),
        "none to have" if share is None else f"{share:.0%}",
        f"{outcome.regret_as_many:.4f}",
        f"{outcome.regret:.4f}",
    ]


def _verdicts(tried: Tried) -> str:
    (own,) = [course for course in tried.courses if course.policy == DRIFTLINE]
    rows = []
    for step in own.steps:
        outcome = {None: "", "full": "trained in full", "refit": "refitted"}[step.trained]
        if step.trained:
            outcome += ", took over" if step.promoted else ", did not pass the gate"
        cells = [
            str(step.window + 1),
            str(step.rows),
            f"{step.loss:.4f}",
            str(step.champion + 1),
            step.verdict,
            step.reason,
            outcome,
        ]
        rows.append(_row(cells, css=step.verdict))
    heads = (
        "window",
        "rows",
        "mean loss",
        "champion of window",
        "verdict",
        "why",
        "what came of it",
    )
    return _table(heads, rows)


def _settings(settings: Sequence[Setting]) -> str:
    chosen = choose_setting(settings)
    rows = [
        _row(
            [f"{one.cost:g}", f"{one.pace:g}", *_figures(one.outcome)],
            css="own" if one is chosen else "",
        )
        for one in settings
    ]
    return _table(("cost", "pace", *FIGURES), rows)


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>"
    return f'<div class="wide" tabindex="0">{table}</div>'  # a phone scrolls it, and so do keys


def _row(cells: Sequence[str], css: str) -> str:
    inner = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f'<tr class="{html.escape(css)}">{inner}</tr>'
