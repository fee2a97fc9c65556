"""Holds a manifest to its cloud's own schema; runs in an environment of the lock beside it.

`check.py kubernetes|google|azure FILE` prints a line for each thing that is wrong.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Required, get_args, get_origin, get_type_hints

import yaml

Found = Iterator[str]
KUBERNETES = "1.37"
UNSUPPORTED = "not supported by cloud run"


def kubernetes(document: Any) -> Found:
    """By the schemas of Kubernetes itself, which let no unknown key pass."""
    import kubernetes_validate

    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


def google(document: Any) -> Found:
    """By Google's own description of Cloud Run's interface."""
    from jsonschema import Draft7Validator

    folder = files("googleapiclient.discovery_cache") / "documents"
    described = json.loads((folder / "run.v1.json").read_text(encoding="utf-8"))["schemas"]
    root = {"$ref": "#/schemas/Service", "schemas": {k: strict(v) for k, v in described.items()}}
    for error in Draft7Validator(root).iter_errors(document):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message}"


def strict(schema: Any) -> Any:
    """JSON Schema of what Google describes: no unknown key, and none that it does not support."""
    if not isinstance(schema, dict):
        return schema
    made = {k: strict(v) for k, v in schema.items() if k in {"type", "items", "enum"}}
    if "$ref" in schema:
        return {"$ref": f"#/schemas/{schema['$ref']}"}
    if "additionalProperties" in schema:
        return made | {"additionalProperties": strict(schema["additionalProperties"])}
    if "properties" in schema:
        kept = {
            name: strict(one)
            for name, one in schema["properties"].items()
            if UNSUPPORTED not in one.get("description", "").lower()
        }
        return made | {"properties": kept, "additionalProperties": False}
    return made


def azure(document: Any) -> Found:
    """By the types of Azure's own client."""
    types = import_module("azure.mgmt.appcontainers.types")
    names = vars(import_module("azure.mgmt.appcontainers.models._enums")) | vars(types)
    yield from walk(document, types.ContainerApp, names, "")


def walk(value: Any, kind: Any, names: dict[str, Any], where: str) -> Found:
    """Whatever in a value is not as its type has it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is list and isinstance(value, list):
        for place, one in enumerate(value):
            yield from walk(one, inner[0], names, f"{where}[{place}]")
    elif origin is dict and isinstance(value, dict):
        for name, one in value.items():
            yield from walk(one, inner[1], names, f"{where}.{name}")
    elif hasattr(kind, "__required_keys__") and isinstance(value, dict):
        hints = get_type_hints(kind, globalns=names)
        yield from (f"{where}: {name} is missing" for name in required(kind, names) - set(value))
        for name, one in value.items():
            if name not in hints:
                yield f"{where}: {name} is not known"
            else:
                yield from walk(one, hints[name], names, f"{where}.{name}")
    elif not is_plain(value, kind, inner):
        yield f"{where}: got {value!r}, wanted {kind}"


def required(kind: Any, names: dict[str, Any]) -> set[str]:
    """The keys that are said to be; a type's own list has those, too, that are not."""
    hints = get_type_hints(kind, globalns=names, include_extras=True)
    return {name for name, hint in hints.items() if get_origin(hint) is Required}


def is_plain(value: Any, kind: Any, inner: tuple[Any, ...]) -> bool:
    """Whether it is a plain value of a type, or one of the words that an enumeration knows."""
    words = [member.value for one in inner if hasattr(one, "__members__") for member in one]
    if words:
        return value in words
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(kind, type) and type(value) is kind


def main() -> int:
    """Exit 1 where anything is wrong."""
    check = {"kubernetes": kubernetes, "google": google, "azure": azure}[sys.argv[1]]
    documents = list(yaml.safe_load_all(Path(sys.argv[2]).read_text(encoding="utf-8")))
    wrong = [line for document in documents for line in check(document)]
    sys.stdout.write("".join(f"{line}\n" for line in wrong) or f"{len(documents)} documents\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
