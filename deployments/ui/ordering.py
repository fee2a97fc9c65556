"""Orders through Prefect: a button, the question whether it is meant, and how the run goes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from deployments.ui.buttons import Prefect
from deployments.ui.showing import plain


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
        st.info(plain(prefect.tell_state(run)))
        st.button("Look again", key=f"again {place}")


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
