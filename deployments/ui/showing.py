"""How the page shows a table and a sentence, so that a screen reader reads them as such."""

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

_MARKDOWN = re.compile(r"([\\`*_\[\]$~<>|#:])")


def plain(text: Any) -> str:
    """Text that means itself where markdown is read."""
    return _MARKDOWN.sub(r"\\\1", str(text)).replace("\n", " ")


def show_table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table of text."""
    lines = [heads, ["---"] * len(heads), *([plain(cell) for cell in row] for row in rows)]
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def show_sentences(sentences: Sequence[str]) -> None:
    """Each sentence on a line of its own; the first is the one that counts."""
    first, *others = sentences
    st.markdown(f"**{plain(first)}**")
    for each in others:
        st.markdown(plain(each))
