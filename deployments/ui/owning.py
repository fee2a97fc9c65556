"""For the owner of a model: who serves, what was concluded, what waits, and what may be ordered.

Each part is asked on its own, so that one that is away is a sentence and no more.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from deployments.ui import owner, settings
from deployments.ui.buttons import Prefect
from deployments.ui.client import ask
from deployments.ui.ordering import Order, follow, offer
from deployments.ui.service import Service
from deployments.ui.showing import plain, show_table
from deployments.ui.waiting import show_waiting
from driftline.errors import DriftlineError

PLACE = "owner"
ORDERS = (
    Order("monitor", "Run the monitor", "It judges what has come in, and may order a training."),
    Order("train", "Train", "A new model takes over only where it passes the gate."),
    Order(
        "rollback",
        "Roll back",
        "The champion before this one serves again.",
        {"why": "asked for on the page", "actor": "the page"},
    ),
)
REPORT_HEIGHT = 900  # pixels


def show_owner(service: Service, problem: str) -> None:
    """Everything about one problem."""
    st.header("What you can have done")
    prefect = Prefect(settings.prefect_url(), settings.prefect_headers())
    _guarded("Prefect", lambda: _show_orders(problem, prefect))
    st.header("The service")
    _guarded("The service", lambda: _show_health(service))
    reports = settings.reports_url()
    state = _guarded("The report server", lambda: _read_state(settings.state_url(), problem))
    if state is None:
        st.write("Start it with make reports; what it tells is left out here.")
        return
    journal, verdicts, runs = state
    _show_champion(journal, f"{reports}/cards/{problem}-v")
    version = owner.waiting_version(journal, runs)
    _guarded("Prefect", lambda: show_waiting(problem, verdicts, runs, version, prefect))
    _show_verdicts(verdicts)
    _show_gate(runs)
    _show_replay(runs, reports)
    _show_report(owner.latest_report(verdicts, runs), reports)


def _read_state(reports: str, problem: str) -> tuple[Any, Any, Any]:
    """Journal, verdicts and newest runs."""
    names = ("journal", "verdicts", "runs")
    journal, verdicts, runs = (ask(f"{reports}/state/{problem}/{name}.json") for name in names)
    return journal, verdicts, runs


def _guarded(what: str, show: Callable[[], Any]) -> Any:
    """What it gives; a sentence where it cannot be had."""
    try:
        return show()
    except DriftlineError as error:
        st.error(plain(f"{what}: {error}."))
        return None


def _show_orders(problem: str, prefect: Prefect) -> None:
    """A button each, and the question whether it is meant."""
    offer(PLACE, problem, zip(ORDERS, st.columns(len(ORDERS)), strict=True))
    follow(PLACE, problem, prefect)


def _show_health(service: Service) -> None:
    health = service.read_health()
    st.write(plain(f"It is {health['status']}."))
    show_table(["part", "state", "since", "why"], owner.health_rows(health))


def _show_champion(journal: Any, cards: str) -> None:
    st.header("Who serves")
    st.markdown(plain(owner.tell_champion(journal)))
    if version := owner.champion_of(journal):
        st.markdown(f"[Its card]({cards}{version}.html)")
    if journal:
        heads = ["day", "alias", "from", "to", "who", "why"]
        show_table(heads, owner.journal_rows(journal))


def _show_verdicts(verdicts: Any) -> None:
    st.header("Verdicts")
    if verdicts:
        show_table(["day", "version", "verdict", "because"], owner.verdict_rows(verdicts))
    else:
        st.write("The monitor has judged nothing that came in yet.")


def _show_gate(runs: Any) -> None:
    st.header("The gate")
    summary = owner.newest(runs, "train", "pipeline")
    st.markdown(plain(owner.tell_gate(summary)))
    if rows := owner.gate_rows(summary):
        show_table(["figure", "wanted", "measured", "kept"], rows)


def _show_replay(runs: Any, reports: str) -> None:
    st.header("Your history, lived through again")
    summary = owner.newest(runs, "replay")
    if not summary:
        st.markdown("Not yet: `python -m flows.replay` shows what would have been decided on it.")
        return
    st.markdown(plain(summary["replay"]["recommendation"]))
    show_table(["policy", "mean loss", "full trainings", "refits"], owner.replay_rows(summary))
    name = str(summary["replay"]["report"]).rpartition("/")[2]
    st.markdown(f"[The whole replay]({reports}/replay/{name})")


def _show_report(name: str, reports: str) -> None:
    st.header("The latest drift report")
    if not name:
        st.write("There is none yet: the monitor draws it.")
        return
    st.markdown(f"[The report on a page of its own]({reports}/drift/{name})")
    address = f"{reports}/drift/{name}"
    st.iframe(address, height=REPORT_HEIGHT, tab_index=0, alt="The latest drift report")
