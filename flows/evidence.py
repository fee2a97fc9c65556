"""Evidence: a model's card, and all that stands behind it, in one signed folder to hand over."""

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from driftline.change_plan import describe_changes
from driftline.errors import NotFoundError
from driftline.model_card import Dossier, as_document, describe
from driftline.problem import Problem
from driftline.served import ServedModel
from flows.shared.aliases import insist_on_promoted, read_promoted
from flows.shared.running import Sections, driftline_flow
from tasks.data.problems import read_files, read_problem
from tasks.data.storage import read_origin, write_report
from tasks.evidence import card_page, packing, parts_list, signing
from tasks.log.journal import read_journal
from tasks.log.verdicts import read_verdicts
from tasks.models.kept import Training, link_evidence, read_training
from tasks.models.registry import read_version
from tasks.people.reporting import link_to, show_link
from tasks.progress import step
from tasks.settings import get_settings
from tasks.shipping import packaging
from tasks.shipping.packaging import digest_model, served_content

MOST_VERDICTS = 50


@dataclass(frozen=True)
class Card:
    """A card that is written: what it rests on, its page, and where people open it."""

    dossier: Dossier
    page: bytes
    link: str


@driftline_flow("evidence", run_name="evidence {problem}")
def evidence(
    problem: str,
    version: str | None = None,
    verify: str | None = None,
    public_key: str | None = None,
) -> Sections:
    """Write the card of the champion, or of a version; pack all that stands behind it.

    Where there is a key, it signs the pack, and the bento that serves the version.
    With `verify` a folder that was handed over is checked instead, by a public key.
    """
    spec = read_problem(problem)
    if verify is not None:
        return check(verify, public_key)
    model = find_model(spec, version)
    written = write_card(spec, model)
    with step("pack"):
        packed = pack(written.dossier, model, written.page)
    links = {"card": written.link, "evidence": str(packed["path"])}
    link_evidence(spec, model.version, links)
    sections: Sections = {"model": {"name": spec.name, "version": model.version}}
    return sections | sign_served(spec, model) | {"evidence": links | packed}


def sign_served(spec: Problem, model: ServedModel) -> Sections:
    """Have the version's bento signed by the same key, where there is one.

    A service that is given the public key loads no other.
    """
    if not get_settings().evidence_key:
        return {}
    with step("sign bento"):
        bento = packaging.build_bento(spec, model)
        packaging.share(bento)
    return {"bento": {"tag": bento.tag, "path": bento.path}}


def write_card(spec: Problem, model: ServedModel) -> Card:
    """The card of a version, where people look."""
    with step("write card"):
        training = read_training(spec, model.version)
        dossier = open_dossier(spec, model, training)
        page = card_page.draw_card(title_of(dossier), describe(dossier), training.pictures)
        address = write_report(f"cards/{spec.name}-v{model.version}.html", page)
        link_evidence(spec, model.version, {"card": link_to(address)})
        show_link("model-card", address, f"model card of {spec.name} version {model.version}")
    return Card(dossier, page, link_to(address))


def check(folder: str, public_key: str | None) -> Sections:
    """Verify a folder of evidence."""
    if public_key is None:
        message = "--public-key: missing; wanted the PEM file of the signer's public key"
        raise NotFoundError(message)
    signing.verify_folder(Path(folder), Path(public_key))
    return {"evidence": {"path": folder, "is_signed": True, "verified_by": public_key}}


def find_model(spec: Problem, version: str | None) -> ServedModel:
    """The champion, or a registered version; either has to be what the journal knows."""
    if version is None:
        return read_promoted(spec)
    model = read_version(spec, version)
    if model is None:
        message = f"--version: got {version!r}, which the registry does not have of {spec.name}"
        raise NotFoundError(message)
    insist_on_promoted(spec, model)
    return model


def open_dossier(spec: Problem, model: ServedModel, training: Training) -> Dossier:
    """All that is known of a version."""
    made_of = asdict(digest_model(spec, model.contract, model.onnx))
    digests = {name.removesuffix("_sha256"): digest for name, digest in made_of.items()}
    return Dossier(
        problem=spec,
        contract=model.contract,
        summary=training.summary,
        promise=model.promise,
        entries=read_journal(spec.name),
        verdicts=[
            (told.decided_at, told.verdict, told.reasons)
            for told in read_verdicts(spec.name, MOST_VERDICTS)
            if told.model_version == model.version
        ],
        origin=read_origin(model.contract.snapshot).source,
        digests=digests | {"snapshot": model.contract.snapshot},
    )


def title_of(dossier: Dossier) -> str:
    """The card's heading."""
    return f"{dossier.problem.title}: model version {dossier.version}"


def pack(dossier: Dossier, model: ServedModel, page: bytes) -> dict[str, object]:
    """The evidence as one archive in the store, signed where there is a key."""
    lock = served_content(dossier.problem, model.contract, model.onnx)["requirements.txt"].decode()
    files = {
        "card.html": page,
        "card.json": as_json(as_document(describe(dossier))),
        "change_plan.json": as_json(describe_changes(dossier.problem)),
        "contract.json": model.contract.to_json().encode(),
        "journal.json": as_json([asdict(entry) for entry in dossier.entries]),
        "model.onnx": model.onnx,
        "run_summary.json": as_json(dossier.summary),
        "sbom.cdx.json": parts_list.list_parts(model.contract, lock),
        **read_files(dossier.problem.name),
    }
    key = get_settings().evidence_key
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        packing.lay_out(folder, files)
        if key:
            signing.sign_folder(folder, Path(key))
        path, sha256 = packing.keep(folder, f"{dossier.problem.name}-v{dossier.version}")
    return {"path": path, "sha256": sha256, "is_signed": bool(key)}


def as_json(content: object) -> bytes:
    """A document's text."""
    return (json.dumps(content, indent=2, default=str, ensure_ascii=False) + "\n").encode()


if __name__ == "__main__":
    from flows.shared.command import run

    run(evidence, ahead=("mlflow",))
