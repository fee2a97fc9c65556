"""Runs a flow from the command line: `python -m flows.<flow> <problem> [--option value]`.

The options are the flow's own parameters. Prefect's bookkeeping is kept off the terminal; what the
run itself tells, its table and its errors are shown.
"""

import inspect
import logging
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any, cast

import typer
from prefect import Flow
from prefect.exceptions import FailedRun, ParameterTypeError
from prefect.logging.handlers import PrefectConsoleHandler
from rich.console import Console
from rich.table import Table

from driftline.errors import ProblemError, SettingsError
from flows.shared.ending import end_in_order
from flows.shared.importing import import_ahead
from flows.shared.interrupts import is_interrupted, mind_interrupts, quit_now
from flows.shared.parameters import refuse_unwritable
from flows.shared.running import concealed
from flows.shared.summary import next_steps, summary_rows
from tasks.data.problems import find_problem
from tasks.reaching import is_prefect_away, of_path
from tasks.server.temporary import NotStartedError, start_server, use_server

CONSOLE = Console(highlight=False)


class _Told(logging.Handler):
    """Shows what runs tell, and warnings, as plain lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line; bookkeeping below a warning is left out."""
        if getattr(record, "driftline_progress", False):
            CONSOLE.print(f"  {record.getMessage()}", markup=False, soft_wrap=True)


def run(declared: Callable[..., Any], ahead: Sequence[str] = ()) -> None:
    """Parse the command line, run the flow, show its summary; exit 1 on anything unwanted.

    `ahead` names slow libraries that the flow will need, in the order of need.
    """
    flow = cast("Flow[Any, Any]", declared)

    def command(**parameters: Any) -> None:
        raise typer.Exit(_run(flow, parameters, ahead))

    signature = inspect.signature(flow.fn)
    command.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[
            parameter.replace(annotation=_without_constraints(parameter.annotation))
            for parameter in signature.parameters.values()
        ],
        return_annotation=None,
    )
    command.__doc__ = flow.fn.__doc__
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    try:
        app()
    except SystemExit as wanted:
        if flow.fn.__module__ != "__main__" or not isinstance(wanted.code, int):
            raise
        end_in_order(wanted.code)


def _run(flow: Flow[Any, Any], parameters: dict[str, Any], ahead: Sequence[str]) -> int:
    mind_interrupts()
    try:
        if parameters.get("problem"):
            find_problem(parameters["problem"])  # before Prefect's server is started for nothing
        refuse_unwritable(parameters)  # Prefect cannot even ask its server then
    except (ProblemError, SettingsError) as error:
        return _fail(str(error))
    try:
        server = start_server()
        _show_only_told()
        if server:
            import_ahead(ahead)
            use_server(server)
        summary = flow(**{name: concealed(value) for name, value in parameters.items()})
    except BaseException as error:  # noqa: BLE001 - Prefect makes other errors of an interrupt
        if is_interrupted():
            quit_now()
        return _explain(error)
    show(summary)
    return 0


def _explain(error: BaseException) -> int:
    """Say what is wrong in one line; what nobody foresaw is raised again."""
    if isinstance(error, FailedRun):
        return _fail(str(error))
    if isinstance(error, ParameterTypeError):
        return _fail(f"an option is out of bounds: {error}")
    if isinstance(error, NotStartedError):
        return _fail(f"Prefect's temporary server: {error}")
    if (known := of_path(error)) is not None:
        return _fail(str(known))
    if not isinstance(error, Exception) or not is_prefect_away(error):
        raise error
    _fail("Prefect (PREFECT_API_URL): did not answer; wanted it reachable, run it again")
    os._exit(1)  # else its threads would go on for minutes with what they have to tell it


def show(summary: dict[str, Any]) -> None:
    """The summary as one table, and where to look further."""
    table = Table(show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for what, how in summary_rows(summary):
        table.add_row(what, how.replace("[", r"\["))
    CONSOLE.print(table)
    steps = next_steps(summary)
    width = max(len(command) for command, _ in steps)
    for command, purpose in steps:
        CONSOLE.print(f"  {command:<{width}}  {purpose}", markup=False)


def _fail(message: str) -> int:
    Console(stderr=True, highlight=False).print(f"error: {message}", markup=False, soft_wrap=True)
    return 1


def _show_only_told() -> None:
    for logger in [logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))]:
        for handler in logger.handlers:
            if isinstance(handler, PrefectConsoleHandler):
                handler.setLevel(logging.CRITICAL)
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    warnings.simplefilter("ignore")
    for name in ("prefect.flow_runs", "prefect.task_runs", "driftline"):
        logging.getLogger(name).addHandler(_Told())


def _without_constraints(annotation: Any) -> Any:
    """Typer reads `Annotated` itself; the bounds of pydantic are checked by the flow."""
    return (
        getattr(annotation, "__origin__", annotation)
        if hasattr(annotation, "__metadata__")
        else _optional(annotation)
    )


def _optional(annotation: Any) -> Any:
    arguments = getattr(annotation, "__args__", ())
    if type(None) in arguments:
        first = next(argument for argument in arguments if argument is not type(None))
        return _without_constraints(first) | None
    return annotation
