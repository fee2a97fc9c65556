"""The model card as a page that needs nothing else."""

import html
from base64 import b64encode
from collections.abc import Mapping, Sequence

from driftline.model_card import Row, Section
from tasks.data.pictures import write_page
from tasks.decorators import work


@work(name="draw model card")
def draw_card(title: str, sections: Sequence[Section], pictures: Mapping[str, bytes]) -> bytes:
    """A heading and a table per section; a picture that was not kept is left out."""
    lines = [f"<h1>{html.escape(title)}</h1>"]
    for section in sections:
        lines += [f"<h2>{html.escape(section.title)}</h2>", _table(section)]
        lines += [_picture(name, pictures[name]) for name in section.pictures if name in pictures]
    return write_page(title, lines)


def _table(section: Section) -> str:
    head = _row(section.headings, "th") if section.headings else ""
    return f"<table>{head}{''.join(_row(row, 'td') for row in section.rows)}</table>"


def _row(cells: Row, kind: str) -> str:
    return f"<tr>{''.join(f'<{kind}>{html.escape(cell)}</{kind}>' for cell in cells)}</tr>"


def _picture(name: str, content: bytes) -> str:
    told = html.escape(name.removesuffix(".png").replace("_", " "))
    return f'<img alt="{told}" src="data:image/png;base64,{b64encode(content).decode()}">'
