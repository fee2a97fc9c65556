"""The archives of a Google Cloud Function and of an Azure Function: model, code, and a lock.

Both clouds install packages themselves, by the hashes of `requirements.txt`. The same model, code,
tables of joins and lock give the same bytes.
"""

import tempfile
from pathlib import Path
from typing import Literal

from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.decorators import io
from tasks.settings import get_settings
from tasks.shipping import archives
from tasks.shipping.archives import Archive, describe_archive, pack_folder, write_served

Cloud = Literal["google", "azure"]
ENTRIES: dict[Cloud, tuple[str, ...]] = {
    "google": ("main.py",),
    "azure": ("function_app.py", "host.json"),
}
CODE = tuple(name for name in archives.CODE if name != "bentos/lambda_handler.py")


def find_function(cloud: Cloud, problem: Problem, model: ServedModel) -> Path:
    """Where the archive of a model version lies."""
    folder = get_settings().home.absolute() / "functions"
    return folder / f"{problem.name}-v{model.version}-{cloud}.zip"


@io(name="build archive of a function")
def build_function(cloud: Cloud, problem: Problem, model: ServedModel) -> Archive:
    """Build it for one of the clouds."""
    own = archives.PROJECT / "deployments" / "clouds" / cloud
    files = {name: archives.PROJECT / name for name in CODE}
    files |= {name: own / name for name in ENTRIES[cloud]}
    files["requirements.txt"] = own / "requirements.lock"
    with tempfile.TemporaryDirectory(prefix="driftline-function-") as folder:
        content = Path(folder)
        write_served(content, model, files)
        return describe_archive(pack_folder(content, find_function(cloud, problem, model)))
