"""The page itself: `make ui` shows it on port 8501."""

from collections.abc import Callable, Mapping

import streamlit as st

from deployments.ui import settings
from deployments.ui.asking import show_asking, show_outcome
from deployments.ui.owning import show_owner
from deployments.ui.service import Model, Service
from deployments.ui.showing import plain
from deployments.ui.uploading import show_uploading
from driftline.errors import DriftlineError
from driftline.telling import tell_purpose

OWNERS = "Look after it"
View = Callable[[Service, Model], None]
VIEWS: Mapping[str, View] = {
    "Ask": show_asking,
    "Give an outcome": show_outcome,
    "Score a table": show_uploading,
}


def main() -> None:
    """Choose a problem and a view; what is wrong is said in a sentence."""
    st.set_page_config(page_title="Driftline", layout="centered")
    try:
        _show()
    except DriftlineError as error:
        st.error(plain(f"This does not work just now: {error}."))


def _show() -> None:
    services = settings.services()
    problem = _choose_problem(list(services))
    service = Service(services[problem], settings.api_key())
    view = st.radio("What do you want to do?", [*VIEWS, OWNERS], horizontal=True)
    model = _read_model(service)
    st.title(plain(model.told["title"] if model else problem or "Driftline"))
    if model:
        st.markdown(plain(tell_purpose(model.told)))
        problem = str(model.told["name"])
    if view == OWNERS and problem:
        show_owner(service, problem)
    elif model and view != OWNERS:
        VIEWS[view](service, model)


def _read_model(service: Service) -> Model | None:
    """The model that answers; a sentence where none does."""
    try:
        return service.read_model()
    except DriftlineError as error:
        st.error(plain(f"The service at {service.url}: {error}. Start it with make serve."))
        return None


def _choose_problem(names: list[str]) -> str:
    """The one that there is, or the one that is chosen."""
    return names[0] if len(names) == 1 else st.selectbox("Problem", names)


main()
