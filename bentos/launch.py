"""Starts `bentoml serve` on the bento that a problem's champion was packaged into.

`python -m bentos.launch breast_cancer --port 3000`
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Replace this process by BentoML's server; exit 1 where there is nothing to serve."""
    parser = argparse.ArgumentParser(description="Serve the champion of a problem.")
    parser.add_argument("problem")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    arguments = parser.parse_args()
    home = Path(os.environ.get("DRIFTLINE_HOME", ".driftline")).absolute()
    os.environ.setdefault("BENTOML_HOME", str(home / "bentoml"))
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")
    os.environ.setdefault("DRIFTLINE_HOME", str(home))
    bento = find_bento(Path(os.environ["BENTOML_HOME"]), arguments.problem.replace("-", "_"))
    sys.stdout.write(f"serving {bento['tag']} on http://{arguments.host}:{arguments.port}\n")
    sys.stdout.flush()
    words = [sys.executable, "-m", "bentoml", "serve", bento["path"]]
    words += ["--host", arguments.host, "--port", str(arguments.port)]
    os.execv(sys.executable, words)  # noqa: S606 - our own words, no shell


def find_bento(bento_home: Path, problem: str) -> dict[str, str]:
    """Tag and path of the champion's bento; exits with what to do where there is none."""
    pointer = bento_home / "serving" / f"{problem}.json"
    try:
        bento: dict[str, str] = json.loads(pointer.read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit(
            f"error: no bento of {problem!r} to serve; make one with: make run PROBLEM={problem}"
        )
    return bento


if __name__ == "__main__":
    main()
