"""What a machine does at each boot: the script of its user data, and the files that it writes."""

from pathlib import Path
from typing import Any

from aws_cdk import Aws

FOLDER = Path(__file__).resolve().parent
EACH_BOOT = """\
Content-Type: multipart/mixed; boundary="//"
MIME-Version: 1.0

--//
Content-Type: text/cloud-config; charset="us-ascii"

#cloud-config
cloud_final_modules:
- [scripts-user, always]

--//
Content-Type: text/x-shellscript; charset="us-ascii"

"""
SIGNAL = (
    "trap '/opt/aws/bin/cfn-signal --exit-code $? --stack %s --resource Machine --region %s"
    " || true' EXIT"
)


def user_data(places: dict[str, Any]) -> str:
    """The script of each boot, with the files that it needs; no secret stands in it."""
    files = {
        "/etc/driftline.place": "".join(f"{name}='{text}'\n" for name, text in places.items()),
        "/usr/local/bin/driftline-settings": _read("settings.sh"),
        "/etc/systemd/system/driftline.service": _read("driftline.service"),
    }
    written = [f"cat > {path} <<'END'\n{text}END\n" for path, text in files.items()]
    begin = f"#!/bin/sh\nset -eu\n{SIGNAL % (Aws.STACK_NAME, Aws.REGION)}\n"
    return EACH_BOOT + begin + "".join(written) + _read("boot.sh") + "--//--\n"


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
