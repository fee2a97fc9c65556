"""What the owner of a key signed with OpenSSF's library is loaded, and nothing else."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bentos.predictor import ModelRefusedError, load_predictor
from bentos.settings import SettingError, check_settings
from bentos.takeover import content, courier, shelf
from bentos.takeover.content import BUNDLE, SUMS, ContentError, check_bento
from bentos.takeover.courier import Courier
from bentos.takeover.curves import parse_public_key
from bentos.takeover.follower import Follower
from bentos.takeover.trust import read_signed, read_trust
from tests.bentos.takeover.shelving import Clock, Taken, make_bento, share, shelve
from tests.bentos.takeover.signing import make_keys, sign_by_library

PAUSE = 3600.0
NAME = "DRIFTLINE_EVIDENCE_PUBLIC_KEY"


@pytest.fixture
def keys(machine: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A private key, and its public half, which this machine is told."""
    private, public = make_keys(machine / "keys")
    monkeypatch.setenv(NAME, str(public))
    return private, public


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_what_the_library_signed_is_read_file_by_file(
    machine: Path, curve: ec.EllipticCurve
) -> None:
    private, public = make_keys(machine / "keys", curve)
    make_bento("1", machine / "made")
    bundle = sign_by_library(machine / "made", private)

    signed = read_signed(bundle, parse_public_key(public.read_text()))

    digests = content.parse_sums((machine / "made" / SUMS).read_bytes())
    assert signed == digests | {SUMS: check_bento(machine / "made")}


def reseal(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """Edit the statement in a bundle, and leave the signature as it is."""

    def edit(bundle: bytes) -> bytes:
        told = json.loads(bundle)
        statement = json.loads(base64.b64decode(told["dsseEnvelope"]["payload"]))
        change(statement)
        payload = base64.b64encode(json.dumps(statement).encode()).decode()
        told["dsseEnvelope"]["payload"] = payload
        return json.dumps(told).encode()

    return edit


def edit_envelope(**changes: Any) -> Callable[[bytes], bytes]:
    def edit(bundle: bytes) -> bytes:
        told = json.loads(bundle)
        told["dsseEnvelope"] |= changes
        return json.dumps(told).encode()

    return edit


HARMS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no signature": (lambda _: b"", "not signed, and DRIFTLINE_EVIDENCE_PUBLIC_KEY is set"),
    "not JSON": (lambda _: b"\xff", "cannot be read"),
    "deep JSON": (lambda _: b"[" * 100_000, "cannot be read"),
    "another kind": (lambda bundle: bundle.replace(b"bundle.v0.3", b"bundle.v0.1"), "cannot be"),
    "another payload": (edit_envelope(payloadType="text/plain"), "cannot be read"),
    "no envelope": (lambda _: b"{}", "cannot be read"),
    "nobody's": (edit_envelope(signatures=[]), "cannot be read"),
    "two signers": (edit_envelope(signatures=[{"sig": ""}, {"sig": ""}]), "cannot be read"),
    "an empty signature": (edit_envelope(signatures=[{"sig": ""}]), "made by another key"),
    "another statement": (reseal(lambda told: told.update(_type="mine")), "made by another key"),
}


@pytest.mark.parametrize(("harm", "why"), HARMS.values(), ids=HARMS.keys())
def test_a_signature_that_is_not_right_loads_nothing(
    machine: Path, keys: tuple[Path, Path], harm: Callable[[bytes], bytes], why: str
) -> None:
    make_bento("1", machine / "made")
    bundle = sign_by_library(machine / "made", keys[0])
    load_predictor(machine / "made" / "src")
    (machine / "made" / BUNDLE).write_bytes(harm(bundle))

    with pytest.raises(ModelRefusedError, match=why):
        load_predictor(machine / "made" / "src")


def test_the_signature_of_another_bento_or_of_another_key_loads_nothing(
    machine: Path, keys: tuple[Path, Path]
) -> None:
    make_bento("1", machine / "made")
    make_bento("2", machine / "other")
    of_another = sign_by_library(machine / "other", keys[0])
    by_another = sign_by_library(machine / "made", make_keys(machine / "others")[0])

    (machine / "made" / BUNDLE).write_bytes(of_another)
    with pytest.raises(ModelRefusedError, match=r"model.sig: signs another bento"):
        load_predictor(machine / "made" / "src")

    (machine / "made" / BUNDLE).write_bytes(by_another)
    with pytest.raises(ModelRefusedError, match="made by another key"):
        load_predictor(machine / "made" / "src")


@pytest.mark.usefixtures("keys")
def test_without_a_list_of_files_nothing_is_signed(machine: Path) -> None:
    make_bento("1", machine / "made")
    (machine / "made" / SUMS).unlink()

    with pytest.raises(ModelRefusedError, match="not signed"):
        load_predictor(machine / "made" / "src")


@pytest.mark.usefixtures("keys")
def test_an_unsigned_bento_is_not_even_fetched(machine: Path) -> None:
    pointer = share(machine / "store", "1")
    (machine / "store" / shelf.archive_in_store(pointer.tag)).unlink()

    with pytest.raises(ContentError, match="not signed"):
        courier.fetch(str(machine / "store"), "tiny")


def sign_in_store(machine: Path, pointer: shelf.Pointer, key: Path) -> None:
    """What the owner of the key does, somewhere else."""
    bundle = sign_by_library(machine / "elsewhere" / pointer.version, key)
    (machine / "store" / shelf.bundle_in_store(pointer.tag)).write_bytes(bundle)


def test_a_bento_is_brought_once_its_owner_has_signed_it(
    machine: Path, keys: tuple[Path, Path]
) -> None:
    clock, heard = Clock(), []
    one = Courier(
        str(machine / "store"), "tiny", clock=clock, tell=lambda *told: heard.append(told)
    )
    pointer = share(machine / "store", "1")
    one.look()
    before = shelf.read_pointer("tiny")
    sign_in_store(machine, pointer, keys[0])
    clock.seconds += PAUSE
    one.look()

    assert before is None
    assert shelf.read_pointer("tiny") == pointer
    shelf.check_shelved(pointer, read_trust())
    load_predictor(shelf.place_of(pointer.tag) / "src")
    assert [state for state, _ in heard] == ["degraded", "up"]


def test_what_was_here_before_the_key_is_signed_from_the_store(
    machine: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NAME)
    pointer = share(machine / "store", "1")
    courier.fetch(str(machine / "store"), "tiny")
    monkeypatch.setenv(NAME, str(keys[1]))
    sign_in_store(machine, pointer, keys[0])

    courier.fetch(str(machine / "store"), "tiny")

    shelf.check_shelved(pointer, read_trust())


def test_a_service_takes_over_what_was_signed_and_goes_on_with_the_old_one_until_then(
    machine: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRIFTLINE_STORE_URL")
    make_bento("1", machine / "served")
    taken, clock = Taken(), Clock()
    follower = Follower("tiny", machine / "served" / "src", taken, clock=clock)
    pointer = shelve("2")
    follower.look()
    before, why = list(taken), str(follower.trouble)
    sign_by_library(shelf.place_of(pointer.tag), keys[0])
    clock.seconds += PAUSE
    follower.look()

    assert (before, list(taken)) == ([], ["2"])
    assert "not signed, and DRIFTLINE_EVIDENCE_PUBLIC_KEY is set" in why


def test_each_key_that_is_set_has_to_have_signed(
    machine: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bento("1", machine / "made")
    sign_by_library(machine / "made", keys[0])
    load_predictor(machine / "made" / "src")
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", "k" * 32)

    with pytest.raises(ModelRefusedError, match="not signed, and DRIFTLINE_SIGNING_KEY is set"):
        load_predictor(machine / "made" / "src")


def test_the_key_may_be_given_itself(
    machine: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bento("1", machine / "made")
    sign_by_library(machine / "made", keys[0])
    monkeypatch.setenv(NAME, keys[1].read_text().replace("\n", ""))

    load_predictor(machine / "made" / "src")


def test_a_private_key_that_is_given_instead_is_not_printed(
    keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    private = keys[0].read_text()
    for told in (private, private.replace("\n", "\\n"), f"KEY={private}"):
        monkeypatch.setenv(NAME, told)

        with pytest.raises(SettingError, match="got something else; wanted the public") as caught:
            check_settings()
        assert "PRIVATE" not in str(caught.value)
        assert private.splitlines()[1][:16] not in str(caught.value)


@pytest.mark.parametrize("told", ["/no/such/file.pub", "-----BEGIN PUBLIC KEY-----", "private"])
def test_a_key_that_cannot_be_used_ends_the_start(
    keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setenv(NAME, str(keys[0]) if told == "private" else told)

    with pytest.raises(SettingError, match=r"DRIFTLINE_EVIDENCE_PUBLIC_KEY: (cannot read|got)"):
        check_settings()
