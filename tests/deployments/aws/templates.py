"""What stands in the templates of AWS: resources by their kind, and what roles may do."""

import json
from typing import Any

from tests.support import ROOT

FOLDER = ROOT / "deployments" / "aws" / "templates"
TEMPLATES: dict[str, dict[str, Any]] = {
    path.stem.removeprefix("driftline-"): json.loads(path.read_text("utf-8"))["Resources"]
    for path in sorted(FOLDER.glob("*.json"))
}


def found(stack: str, kind: str) -> list[dict[str, Any]]:
    """Every resource of a kind."""
    return [each for each in TEMPLATES[stack].values() if each["Type"] == f"AWS::{kind}"]


def only(stack: str, kind: str) -> dict[str, Any]:
    """The properties of the one resource of a kind."""
    (one,) = found(stack, kind)
    properties: dict[str, Any] = one["Properties"]
    return properties


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(stack: str) -> list[dict[str, Any]]:
    """What the policies of roles allow."""
    documents = [each["Properties"]["PolicyDocument"] for each in found(stack, "IAM::Policy")]
    for role in found(stack, "IAM::Role"):
        inline = role["Properties"].get("Policies", [])
        documents += [policy["PolicyDocument"] for policy in inline]
    return [each for document in documents for each in document["Statement"]]


def filled(value: Any, given: dict[str, str]) -> str:
    """A text whose places are filled in: of parameters, and of attributes as `Name.Attribute`."""
    if isinstance(value, str):
        return value
    ((function, words),) = value.items()
    if function == "Ref":
        return given.get(words, f"the {words}")
    if function == "Fn::GetAtt":
        return given.get(".".join(words), f"the {'.'.join(words)}")
    if function == "Fn::If":
        return filled(words[1] if given.get(words[0]) else words[2], given)
    assert function in {"Fn::Join", "Fn::Base64"}
    if function == "Fn::Base64":
        return filled(words, given)
    between, parts = words
    return str(between).join(filled(part, given) for part in parts)
