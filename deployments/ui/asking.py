"""For the person who asks: a form, the answer, what moved it, and the true outcome later.

The answer stays in the browser's session so that its outcome can be given; the values asked do not.
"""

from typing import Any

import streamlit as st

from deployments.ui.client import RefusedError
from deployments.ui.entries import Entry, as_record
from deployments.ui.service import Model, Service
from deployments.ui.showing import plain, show_sentences, show_table
from driftline.telling import tell_answer, tell_contributions, tell_quality, tell_service

ANSWERED = "answered"
MOVERS = 10


def show_asking(service: Service, model: Model) -> None:
    """The form, and the answer beneath."""
    st.header("Ask about one person or thing")
    st.write("What you enter is sent to the service, which logs it with its answer.")
    with st.form("record", border=False):
        values = _enter_all(model)
        is_pressed = st.form_submit_button("Ask the model", type="primary")
    if is_pressed:
        st.session_state[ANSWERED] = _ask(service, model, as_record(model.entries, values))
    answered = st.session_state.get(ANSWERED)
    if answered and answered["problem"] == model.told["name"]:
        _show_answer(answered, model)
    st.header("How good it is")
    for sentence in (*tell_quality(model.told), tell_service(model.told)):
        st.markdown(plain(sentence))


def show_outcome(service: Service, model: Model) -> None:
    """The true outcome of an earlier answer, by its id."""
    st.header("Give the true outcome")
    st.write("When the truth is known, it teaches: the model is judged and renewed by it.")
    answered = st.session_state.get(ANSWERED)
    last = answered["answer"]["prediction_id"] if answered else ""
    with st.form("outcome", border=False):
        given = st.text_input("Id of the answer", value=last, max_chars=64)
        label = _enter_outcome(model)
        is_pressed = st.form_submit_button("Keep this outcome", type="primary")
    if is_pressed and (not given or label is None):
        st.error("Both the id and the outcome are wanted.")
    elif is_pressed:
        st.info(service.tell_outcome(given.strip(), label))


def _enter_outcome(model: Model) -> str | float | None:
    """One of the classes, or a number."""
    if "number" not in model.told:
        chosen: str | None = st.selectbox("The true outcome", model.told["classes"], index=None)
        return chosen
    low, high = model.told["number"]["range"] or (None, None)
    return st.number_input(
        "The true outcome", min_value=low, max_value=high, value=None, format="%g"
    )


def _enter_all(model: Model) -> list[Any]:
    """Two entries beside each other, in the order in which the keyboard comes through."""
    values, name = [], str(model.told["name"])
    for start in range(0, len(model.entries), 2):
        pair = model.entries[start : start + 2]
        for column, entry in zip(st.columns(2), pair, strict=False):
            with column:
                values.append(_enter(entry, f"{name}.{entry.name}"))
    return values


def _enter(entry: Entry, key: str) -> Any:
    """The value of one entry."""
    if entry.options:
        index = None if entry.start is None else entry.options.index(entry.start)
        return st.selectbox(entry.label, entry.options, index=index, placeholder="unknown", key=key)
    if entry.kind == "date":
        return st.text_input(entry.label, value=entry.start or "", key=key)
    return st.number_input(
        entry.label,
        min_value=entry.low,
        max_value=entry.high,
        value=entry.start,
        step=entry.step,
        format="%d" if entry.kind == "integer" else "%g",
        placeholder="unknown",
        key=key,
    )


def _ask(service: Service, model: Model, record: dict[str, Any]) -> dict[str, Any] | None:
    """The answer with what moved it, or nothing where it was refused."""
    try:
        answer, explained = service.predict(record), service.explain(record)
    except RefusedError as error:
        st.error(f"The model did not answer: {error}.")
        for field, problem in error.fields:
            st.markdown(plain(f"{field} {problem}"))
        return None
    return {"problem": model.told["name"], "answer": answer, "explained": explained}


def _show_answer(answered: dict[str, Any], model: Model) -> None:
    answer, explained = answered["answer"], answered["explained"]
    st.header("The answer")
    show_sentences(tell_answer(answer, model.told))
    st.markdown(f"Its id, by which the outcome can be given later: `{answer['prediction_id']}`")
    st.header("What moved it")
    rows = tell_contributions(explained, model.told, model.units)
    moved = [row for row in rows if row[2] != "nothing"]
    if moved:
        show_table(
            ["field", "typical value", f"its own moved {_explained(explained)}"],
            moved[:MOVERS],
        )
    else:
        st.write("No single value moved it: each is typical, or changes nothing by itself.")
    st.markdown(plain(explained["meaning"]))


def _explained(explained: dict[str, Any]) -> str:
    return " or ".join(explained.get("classes", ["the answer"]))
