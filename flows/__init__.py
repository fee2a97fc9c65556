"""The order of things: which task after which, and what each verdict leads to.

Importing this package points Prefect and the other tools at the state folder: they read their
environment while they are imported, so it cannot wait.
"""

import sys

from driftline.errors import SettingsError
from tasks.settings import prepare_environment

try:
    prepare_environment()
except SettingsError as wrong:
    sys.exit(f"error: {wrong}")
