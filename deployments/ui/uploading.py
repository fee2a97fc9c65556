"""For the person who has a table: it goes up, is scored in pieces, and comes back."""

import streamlit as st

from deployments.ui import scoring
from deployments.ui.client import RefusedError
from deployments.ui.service import Model, Service
from deployments.ui.showing import plain, show_table
from driftline.errors import DataError, UnavailableError

FAULTS_SHOWN = 20


def show_uploading(service: Service, model: Model) -> None:
    """Take a table, and give it back with the answers beside its rows."""
    st.header("Score a table")
    names = ", ".join(field.name for field in model.fields)
    st.write("A CSV file with one row each and a header. Columns that are not asked for come back.")
    with st.expander("The columns that it needs"):
        st.markdown(plain(names))
    uploaded = st.file_uploader("The table, as a CSV file", type=["csv", "txt", "tsv"])
    if uploaded is None or not st.button("Score this table", type="primary"):
        return
    try:
        table = scoring.read_table(uploaded.getvalue())
        scored = _score(service, model, table)
    except DataError as error:
        st.error(f"The table cannot be scored: {error}.")
        return
    _show_scored(table, scored, model, uploaded.name)


def _score(service: Service, model: Model, table: scoring.Uploaded) -> scoring.Scored:
    bar, scored = st.progress(0.0, text="Scoring"), scoring.Scored()
    try:
        pieces = scoring.score(table, model.computed, service.predict_all, service.report_refused)
        for done, so_far in pieces:
            scored = so_far
            bar.progress(done / len(table.rows), text=f"{done} of {len(table.rows)} rows")
    except (RefusedError, UnavailableError) as error:
        st.error(plain(f"It stopped here: {error}. What was answered is in the table."))
    bar.empty()
    return scored


def _show_scored(table: scoring.Uploaded, scored: scoring.Scored, model: Model, name: str) -> None:
    st.success(f"{len(scored.answers)} of {len(table.rows)} rows have an answer.")
    st.download_button(
        "Take the scored table",
        scoring.write_table(table, scored, model.told.get("classes")),
        file_name=f"scored-{name}",
        mime="text/csv",
        on_click="ignore",
    )
    if scored.faults:
        st.write(f"{len(scored.faults)} rows were not sent; what is wrong with the first of them:")
        some = list(scored.faults.items())[:FAULTS_SHOWN]
        show_table(["row", "what is wrong"], [[place + 1, why] for place, why in some])
