"""What pages about tables are made of: bars, and a page that needs nothing else."""

import html
from collections.abc import Sequence

WIDTH, HEIGHT = 240, 60
STYLE = """body{font-family:sans-serif;margin:2em;max-width:75em;line-height:1.4}
table{border-collapse:collapse}td,th{border-bottom:1px solid #ddd;padding:.4em .8em;text-align:left;
vertical-align:top}tr.ignored{color:#777;background:#fafafa}svg{display:block}"""


def write_page(title: str, lines: Sequence[str]) -> bytes:
    """A page of these pieces of HTML."""
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(lines)}</body></html>\n"
    )
    return page.encode()


def draw_bars(
    heights: Sequence[float], told: Sequence[str], before: Sequence[float] | None = None
) -> str:
    """Bars with a sentence each, and a line across each where it stood `before`."""
    top, width = max([*heights, *(before or ()), 1e-9]), WIDTH / max(len(heights), 1)
    marks = []
    for i, (height, text) in enumerate(zip(heights, told, strict=True)):
        tall, left = HEIGHT * height / top, i * width
        wide = max(width - 1, 1)
        marks.append(
            f'<rect x="{left:.1f}" y="{HEIGHT - tall:.1f}" width="{wide:.1f}" '
            f'height="{tall:.1f}" fill="#4477aa"><title>{html.escape(text)}</title></rect>'
        )
        if before is not None:
            level = HEIGHT - HEIGHT * before[i] / top
            marks.append(
                f'<path d="M{left:.1f} {level:.1f}h{wide:.1f}" stroke="#cc3311" stroke-width="2"/>'
            )
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="distribution">'
        f"{''.join(marks)}</svg>"
    )
