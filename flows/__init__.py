"""The order of things: which task after which, and what each verdict leads to.

Importing this package points Prefect and the other tools at the state folder: they read their
environment while they are imported, so it cannot wait.
"""

import sys

from flows.shared.usage import answer_early

answer_early()

from flows.shared.interrupts import mind_imports  # noqa: E402 - slow, and often not needed
from flows.shared.lost_signals import mind_lost_signals  # noqa: E402 - as above
from tasks.collecting import collect_rarely  # noqa: E402 - as above

mind_imports()
mind_lost_signals()
collect_rarely()

from driftline.errors import SettingsError  # noqa: E402 - an import may be interrupted
from tasks.settings import prepare_environment  # noqa: E402 - as above

try:
    prepare_environment()
except SettingsError as wrong:
    sys.exit(f"error: {wrong}")
