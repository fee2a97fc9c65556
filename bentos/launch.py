"""Starts `bentoml serve` on the bento that a problem's champion was packaged into.

`python -m bentos.launch breast_cancer --port 3000`
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from bentos.health.paths import explain_path
from bentos.health.start import check_port, check_spool, protect_state
from bentos.settings import (
    SettingError,
    check_settings,
    expand,
    lookup_folder,
    spool_folder,
    spool_setting,
    state_folder,
)
from bentos.takeover.content import ContentError
from bentos.takeover.courier import fetch, store_elsewhere
from bentos.takeover.shelf import Pointer, bentoml_home, check_shelved, place_of, read_pointer
from bentos.takeover.trust import read_trust


def main() -> NoReturn:
    """Replace this process by BentoML's server; exit 1 where there is nothing to serve."""
    parser = argparse.ArgumentParser(description="Serve the champion of a problem.")
    parser.add_argument("problem")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    arguments = parser.parse_args()
    setting = spool_setting()
    pin_paths()
    protect_state(state_folder())
    try:
        check_settings()
        check_spool(spool_folder(), setting)
        check_port(arguments.host, arguments.port, option="--port, or make serve PORT=...")
    except SettingError as error:
        sys.exit(f"error: {error}")
    os.environ["BENTOML_HOME"] = str(bentoml_home())
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")
    bento = find_bento(arguments.problem.replace("-", "_"))
    sys.stdout.write(f"serving {bento.tag} on http://{arguments.host}:{arguments.port}\n")
    sys.stdout.flush()
    words = [sys.executable, "-m", "bentoml", "serve", str(place_of(bento.tag))]
    words += ["--host", arguments.host, "--port", str(arguments.port)]
    os.execv(sys.executable, words)  # noqa: S606 - our own words, no shell


def pin_paths() -> None:
    """Make paths absolute: the server's workers run in the bento's folder."""
    os.environ["DRIFTLINE_HOME"] = str(state_folder())
    os.environ["DRIFTLINE_SPOOL_DIR"] = str(spool_folder())
    os.environ["DRIFTLINE_LOOKUP_DIR"] = str(lookup_folder())
    key = os.environ.get("DRIFTLINE_EVIDENCE_PUBLIC_KEY", "").strip()
    if key and "-----BEGIN" not in key:
        os.environ["DRIFTLINE_EVIDENCE_PUBLIC_KEY"] = str(expand(Path(key)).absolute())


def find_bento(problem: str) -> Pointer:
    """The champion's bento, verified; exits with what to do where there is none to serve."""
    store = store_elsewhere()
    if store is not None:
        try:
            fetch(store, problem)
        except ContentError as error:
            sys.stderr.write(f"{store}: {error}; serving what is on this machine\n")
        except Exception as error:  # noqa: BLE001 - the store's libraries raise a dozen kinds
            why = f"{store}: no answer ({type(error).__name__})"
            sys.stderr.write(f"{why}; serving what is on this machine\n")
    try:
        pointer = read_pointer(problem)
        if pointer is not None:
            check_shelved(pointer, read_trust())
    except ContentError as error:
        remedy = f"make it anew with: python -m flows.package {problem}"
        sys.exit(f"error: the bento of {problem!r} is refused: {error}; {remedy}")
    except OSError as error:
        told = explain_path(error) or f"{error.filename}: {error.strerror or type(error).__name__}"
        sys.exit(f"error: {told}; no bento of {problem!r} can be read (DRIFTLINE_HOME)")
    if pointer is None:
        sys.exit(
            f"error: no bento of {problem!r} to serve; make one with: make run PROBLEM={problem}"
        )
    return pointer


if __name__ == "__main__":
    main()
