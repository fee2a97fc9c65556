"""AWS's runtime interface emulator: what it needs, how it is started, and how it is asked."""

import base64
import importlib.metadata
import json
import shutil
import sys
from pathlib import Path

from driftline.agreement import Response
from driftline.errors import DriftlineError, PackagingError
from tasks.settings import get_settings
from tasks.verify.processes import Ask, send

HANDLER = "bentos.lambda_handler.handler"
RIE_IN_IMAGE = "/usr/local/bin/aws-lambda-rie"
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
INVOKE = "/2015-03-31/functions/function/invocations"


class NotRunnableError(DriftlineError):
    """An environment cannot be run on this machine; the message says what is missing."""


def find_rie() -> Path:
    """The emulator: `DRIFTLINE_LAMBDA_RIE`, or `aws-lambda-rie` on PATH."""
    named = get_settings().lambda_rie
    found = named or shutil.which("aws-lambda-rie")
    if not found or not Path(found).is_file():
        message = (
            "no runtime interface emulator: put aws-lambda-rie on PATH, "
            "or name it in DRIFTLINE_LAMBDA_RIE"
        )
        raise NotRunnableError(message)
    return Path(found).absolute()


def copy_runtime_client(folder: Path) -> None:
    """AWS's runtime client alone, from the packages of this Python; on Lambda it is there."""
    for name in RUNTIME_CLIENT:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            message = f"the Python package {name} is not installed"
            raise NotRunnableError(message) from None
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = folder / str(file)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(distribution.locate_file(file)), target)


def bare_python() -> str:
    """The interpreter below this virtual environment."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def lambda_environment() -> dict[str, str]:
    """What Lambda tells a function of 512 MB about itself."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "driftline",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }


def options(outer: int, inner: int) -> list[str]:
    """Its options: the port on which it is asked, and the one that the runtime asks it on."""
    words = ["--log-level", "error"]
    words += ["--runtime-interface-emulator-address", f"127.0.0.1:{outer}"]
    return [*words, "--runtime-api-address", f"127.0.0.1:{inner}"]


def asker(port: int) -> Ask:
    """Wraps a request as API Gateway's event (v2), and unwraps the answer."""

    def ask(method: str, path: str, body: bytes) -> Response:
        event = {
            "version": "2.0",
            "rawPath": path,
            "headers": {"content-type": "application/json"},
            "requestContext": {"http": {"method": method}, "stage": "$default"},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        reply = send("POST", f"http://127.0.0.1:{port}{INVOKE}", json.dumps(event).encode())
        answer = json.loads(reply.body)
        if "statusCode" not in answer:
            message = f"the Lambda failed: {str(answer)[:300]}"
            raise PackagingError(message)
        return Response(answer["statusCode"], answer["body"].encode())

    return ask
