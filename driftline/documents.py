"""YAML as Driftline reads it: YAML 1.2 booleans, no key twice, errors that name file and key."""

import difflib
import re
import textwrap
from collections.abc import Hashable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from driftline.errors import ProblemError

ModelT = TypeVar("ModelT", bound=BaseModel)


class _StrictLoader(yaml.SafeLoader):
    """Reads `YES` and `NO` as text (they are common categories) and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                line = key_node.start_mark.line + 1
                message = f"line {line}: key {key!r} is given twice; wanted once"
                raise ProblemError(message)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF")
)


def parse_document(
    text: str, *, file: str, model: type[ModelT], given: dict[str, Any] | None = None
) -> ModelT:
    """Read YAML text into a strict model; a `ProblemError` lists every mistake with file and key.

    `given` holds keys that the file cannot set itself, such as the name it is filed under.
    """
    try:
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except ProblemError as error:
        message = f"{file}: {error}"
        raise ProblemError(message) from None
    except yaml.YAMLError as error:
        message = f"{file}: not valid YAML: {error}"
        raise ProblemError(message) from None
    if not isinstance(content, dict):
        message = f"{file}: got {type(content).__name__}, wanted a mapping of keys to values"
        raise ProblemError(message)
    for key in given or {}:
        if key in content:
            message = f"{file}: {key}: set by the file's own name; wanted it left out"
            raise ProblemError(message)
    try:
        return model.model_validate(content | (given or {}))
    except ValidationError as error:
        lines = [f"{file}: {_describe(dict(detail), model)}" for detail in error.errors()]
        raise ProblemError("\n".join(lines)) from None


def _describe(detail: dict[str, Any], model: type[BaseModel]) -> str:
    path = [str(part) for part in detail["loc"]]
    key = ".".join(path) or "(whole file)"
    kind, got = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(path[-1], _known_keys(model), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"{key}: unknown key{hint}"
    if kind == "missing":
        return f"{key}: missing; wanted a value"
    if kind == "value_error":
        return f"{key}: {detail['ctx']['error']!s}"
    shown = repr(got)
    shown = textwrap.shorten(shown, 80, placeholder=" ...")
    return f"{key}: got {shown}, wanted: {detail['msg'].removeprefix('Input should be ')}"


def _known_keys(model: type[BaseModel]) -> list[str]:
    """Every key that the model or a model inside it accepts, for suggestions."""
    schema = model.model_json_schema()
    keys = set(schema.get("properties", {}))
    for definition in schema.get("$defs", {}).values():
        keys |= set(definition.get("properties", {}))
    return sorted(keys)
