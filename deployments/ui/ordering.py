"""Orders through Prefect: a button, the question whether it is meant, and how the run goes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from deployments.ui.buttons import Prefect
from deployments.ui.showing import plain
from driftline.errors import DriftlineError

LOOK_SECONDS = 3


@dataclass(frozen=True)
class Order:
    """A run of a flow: what its button says, what it means, and what the run is told besides."""

    flow: str
    label: str
    meaning: str
    told: Mapping[str, Any] = field(default_factory=dict)


def offer(place: str, problem: str, orders: Iterable[tuple[Order, Any]]) -> None:
    """A button for each order, in the column that stands beside it."""
    for order, column in orders:
        if column.button(order.label, width="stretch"):
            st.session_state[_ordered(place)] = (order, problem)


def follow(place: str, problem: str, prefect: Prefect) -> None:
    """Ask whether what was ordered at this place is meant, and tell how what was started goes."""
    order, about = st.session_state.get(_ordered(place)) or (None, "")
    if order is not None and about == problem:
        _confirm(place, problem, order, prefect)
    run, about = st.session_state.get(_started(place)) or ("", "")
    if run and about == problem:
        _watch(run, prefect)


def _watch(run_id: str, prefect: Prefect) -> None:
    """Say how a run goes, again and again until it is over; then all of the page is read anew."""
    if (run := prefect.read_run(run_id)).is_over:
        st.info(plain(f"{run.sentence} What it concluded stands below."))
        return

    @st.fragment(run_every=LOOK_SECONDS)
    def look() -> None:
        try:
            now = prefect.read_run(run_id)
        except DriftlineError as error:
            st.error(plain(f"Prefect: {error}."))
            return
        if now.is_over:
            st.rerun()
        st.info(plain(f"{now.sentence} This looks again every {LOOK_SECONDS} seconds."))

    look()


def _confirm(place: str, problem: str, order: Order, prefect: Prefect) -> None:
    st.warning(plain(f"{order.label}, for {problem}? {order.meaning}"))
    yes, no = st.columns(2)
    if yes.button(f"Yes: {order.label.lower()}", type="primary", width="stretch"):
        st.session_state[_ordered(place)] = None
        st.session_state[_started(place)] = (
            prefect.start(order.flow, problem, order.told),
            problem,
        )
        st.rerun()
    if no.button("No, leave it", key=f"no {place}", width="stretch"):
        st.session_state[_ordered(place)] = None
        st.rerun()


def _ordered(place: str) -> str:
    return f"ordered {place}"


def _started(place: str) -> str:
    return f"started {place}"
