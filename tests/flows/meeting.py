"""Runs two trainings of a problem in one state folder, so that they meet where it matters.

`python -m tests.flows.meeting HOMES TASK,TASK... FIRST SECOND`: for each task, one training (from
the source FIRST) is stopped when that task of it has ended; another (from SECOND) runs to its end;
then the first goes on. Each pair has a copy of `HOMES/template` as its state folder. Prints for
each task its name, the folder, and how both ended.
"""

import importlib
import os
import shutil
import signal
import sys
from pathlib import Path

from flows.train import train
from tests.flows.dying import AHEAD, run, start


def main() -> None:
    """Let them meet after one task, then after the next, and so on."""
    homes, tasks, first, second = sys.argv[1:]
    for module in AHEAD:
        importlib.import_module(module)
    for after in tasks.split(","):
        home = Path(homes) / after.replace(" ", "-")
        shutil.copytree(Path(homes) / "template", home)
        ours, theirs = ({"problem": "tiny", "folds": 3, "source": each} for each in (first, second))
        pid = start(train, ours, home, after=after, blow=signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        other = run(train, theirs, home)
        os.kill(pid, signal.SIGCONT)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{after}\t{home}\t{code}\t{other}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
