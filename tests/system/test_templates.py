"""The template of the Lambda for AWS SAM parses, and says what it must."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.support import ROOT

LAMBDA = ROOT / "deployments" / "lambda" / "template.yaml"


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short functions as {name: value}."""


def _function(loader: yaml.Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _function)


def test_the_lambda_is_throttled_bounded_and_may_do_little() -> None:
    resources = read(LAMBDA)["Resources"]
    function = resources["Predict"]["Properties"]
    routes = resources["Api"]["Properties"]["DefaultRouteSettings"]

    assert function["Handler"] == "bentos.lambda_handler.handler"
    assert function["MemorySize"] == 512
    assert 0 < function["ReservedConcurrentExecutions"] <= 100
    assert routes["ThrottlingRateLimit"] > 0
    assert routes["ThrottlingBurstLimit"] > 0
    for log in ("FunctionLog", "AccessLog"):
        assert resources[log]["Properties"]["RetentionInDays"] == 30
    assert actions(resources["Role"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_the_lambda_asks_for_keys_and_for_a_database_and_shows_neither() -> None:
    parameters = read(LAMBDA)["Parameters"]

    for name in ("ApiKeys", "DatabaseUrl"):
        assert parameters[name]["NoEcho"] is True
        assert parameters[name]["MinLength"] > 0
        assert "Default" not in parameters[name]


def test_the_template_does_not_grant_everything() -> None:
    assert not re.search(r"(Action|Resource): ['\"]?\*", LAMBDA.read_text())


def read(path: Path) -> dict[str, Any]:
    """A template as plain values."""
    content: dict[str, Any] = yaml.load(path.read_text(), Loader=Loader)  # noqa: S506 - extends SafeLoader
    return content


def actions(role: dict[str, Any]) -> set[str]:
    """Every action that a role's own policies allow, on every condition."""
    found: set[str] = set()
    for given in role["Properties"]["Policies"]:
        policy = given["If"][1] if "If" in given else given
        for statement in policy["PolicyDocument"]["Statement"]:
            action = statement["Action"]
            found |= {action} if isinstance(action, str) else set(action)
    return found
