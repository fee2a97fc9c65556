"""What waits for a person: a model to agree to, rows to release or drop, outcomes to give."""

from typing import Any

import streamlit as st

from deployments.ui import owner
from deployments.ui.buttons import Prefect
from deployments.ui.ordering import Order, follow, offer
from deployments.ui.showing import plain, show_table

PLACE = "waiting"
LABELS_SHOWN = 20
MOST_LETTERS = 60


def show_waiting(
    problem: str, verdicts: Any, runs: Any, version: str | None, prefect: Prefect
) -> None:
    """All of it; who decides gives a name, which is kept with the decision."""
    st.header("What waits for you")
    rows, ids = owner.quarantine_rows(verdicts), owner.label_first(runs)
    if not rows and not ids and version is None:
        st.write("Nothing.")
    if rows or version is not None:
        name = st.text_input(
            "Your name, kept with what you decide", max_chars=MOST_LETTERS, key="decider"
        )
        if version is not None:
            _show_version(problem, version, name)
        if rows:
            _show_quarantine(problem, rows, name)
    if ids:
        st.write("The true outcomes of these answers would tell most; give them on this page.")
        show_table(["id"], [[each] for each in ids[:LABELS_SHOWN]])
    follow(PLACE, problem, prefect)


def _show_version(problem: str, version: str, name: str) -> None:
    st.markdown(f"Version {plain(version)} passed its gate. It serves once you agree.")
    order = Order(
        "approve",
        f"Let version {version} serve",
        "It takes over from the champion.",
        {"actor": name},
    )
    _offer(problem, [order], name)


def _show_quarantine(problem: str, rows: owner.Rows, name: str) -> None:
    st.markdown("Set aside until you look: these rows neither judge nor teach.")
    show_table(["key", "rows", "why"], rows)
    key = st.selectbox("Which of them", [row[0] for row in rows])
    look = f"python -m flows.release {problem} --verdict {key} --show rows.csv"
    st.markdown(
        f"Their values stay where they are. To look at them, on the loop's machine: `{look}`"
    )
    told = {"verdict": key, "actor": name}
    orders = [
        Order(
            "release",
            "Release these rows",
            f"The rows of {key} are sound: they judge and teach, and what was found in them is "
            "known from now on.",
            told,
        ),
        Order(
            "release",
            "Drop these rows",
            f"The rows of {key} are broken: they never judge and never teach.",
            told | {"drop": True},
        ),
    ]
    _offer(problem, orders, name)


def _offer(problem: str, orders: list[Order], name: str) -> None:
    """The buttons; without a name they say what is missing."""
    columns = st.columns(len(orders))
    if name.strip():
        offer(PLACE, problem, list(zip(orders, columns, strict=True)))
        return
    for order, column in zip(orders, columns, strict=True):
        if column.button(order.label, width="stretch"):
            st.error("Give your name first: a decision bears the name of who takes it.")
