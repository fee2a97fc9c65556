"""How the written files read: YAML and JSON whose keys keep their order."""

import json
from typing import Any

import yaml

WRITTEN = "# Written by `make monitoring` from deployments/monitoring/*.py.\n"


class _Plain(yaml.SafeDumper):
    """Writes what comes twice twice."""

    def ignore_aliases(self, data: object) -> bool:
        """No anchors."""
        del data
        return True


def as_yaml(content: Any) -> str:
    """A file of YAML, which says where it comes from."""
    text = yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return WRITTEN + text


def as_json(content: Any, encoder: type[json.JSONEncoder] = json.JSONEncoder) -> str:
    """A file of JSON."""
    return json.dumps(content, cls=encoder, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
