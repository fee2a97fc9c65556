"""The software and the model that a bento is made of, as a CycloneDX bill of materials."""

import re
from collections.abc import Iterator

from driftline.contract import Contract
from tasks.decorators import work

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


@work(name="list parts")
def list_parts(contract: Contract, lock: str) -> bytes:
    """JSON of CycloneDX 1.6: the ONNX file by its digest, and every package that serving installs.

    `lock` is the text of the lock file of what is served.
    """
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    model = Component(
        name=contract.problem,
        version=contract.model_version,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref="model",
        description=contract.title,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=contract.onnx_sha256)],
    )
    bom = Bom(components=[model])
    bom.metadata.component = model
    for name, version in _pinned(lock):
        url = PackageURL("pypi", name=name, version=version)
        part = Component(name=name, version=version, purl=url, bom_ref=str(url))
        bom.components.add(part)
        bom.register_dependency(model, [part])
    return JsonV1Dot6(bom).output_as_string(indent=2).encode()


def _pinned(lock: str) -> Iterator[tuple[str, str]]:
    for found in _PINNED.finditer(lock):
        yield found.group(1), found.group(2)
