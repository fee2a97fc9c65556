"""The cluster's manifests: one service, few rights, and names that fit each other."""

import re
from typing import Any

import pytest
import yaml

from bentos.http.door import HEALTH
from tests.house.documents import CONTRIBUTING
from tests.support import ROOT

TEXT = (ROOT / "deployments" / "kubernetes" / "service.yaml").read_text(encoding="utf-8")
PARTS: dict[str, Any] = {part["kind"]: part for part in yaml.safe_load_all(TEXT)}
POD = PARTS["Deployment"]["spec"]["template"]
CONTAINER = POD["spec"]["containers"][0]
LABELS = {"app.kubernetes.io/name": "driftline"}


def test_every_part_means_the_same_pods() -> None:
    scaled = PARTS["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]

    assert POD["metadata"]["labels"] == LABELS
    assert PARTS["Deployment"]["spec"]["selector"] == {"matchLabels": LABELS}
    assert PARTS["Service"]["spec"]["selector"] == LABELS
    assert PARTS["NetworkPolicy"]["spec"]["podSelector"] == {"matchLabels": LABELS}
    assert PARTS["PodDisruptionBudget"]["spec"]["selector"] == {"matchLabels": LABELS}
    assert (scaled["kind"], scaled["name"]) == ("Deployment", "driftline")
    assert "replicas" not in PARTS["Deployment"]["spec"]  # the autoscaler's to say


@pytest.mark.parametrize(
    ("probe", "path"),
    [("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")],
)
def test_a_probe_asks_a_path_that_needs_no_key(probe: str, path: str) -> None:
    asked = CONTAINER[probe]["httpGet"]

    assert asked == {"path": path, "port": "http"}
    assert path in HEALTH
    assert {"name": "http", "containerPort": 3000} in CONTAINER["ports"]


def test_a_pod_has_no_rights_and_writes_where_it_is_let() -> None:
    pod, context = POD["spec"], CONTAINER["securityContext"]
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert context == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert mounts == {"tmp": "/tmp", "spool": "/spool"}  # noqa: S108 - the container's
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"])
    assert {"name": "DRIFTLINE_SPOOL_DIR", "value": "/spool"} in CONTAINER["env"]


def test_a_pod_asks_for_what_it_needs_and_is_bounded_as_the_image_was_tried() -> None:
    assert CONTAINER["resources"]["limits"]["memory"] == "512Mi"
    assert set(CONTAINER["resources"]["requests"]) == {"cpu", "memory"}


def test_no_answer_is_lost_to_a_new_version() -> None:
    rolling = PARTS["Deployment"]["spec"]["strategy"]["rollingUpdate"]

    assert rolling == {"maxUnavailable": 0, "maxSurge": 1}
    assert PARTS["HorizontalPodAutoscaler"]["spec"]["minReplicas"] >= 2


def test_only_clients_with_the_label_come_in_and_little_goes_out() -> None:
    policy = PARTS["NetworkPolicy"]["spec"]
    asked = [port["port"] for rule in policy["egress"] for port in rule["ports"]]

    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == [3000]
    assert all("podSelector" in one for rule in policy["ingress"] for one in rule["from"])
    assert sorted(asked) == [53, 53, 443, 3306, 5432]


def test_no_secret_stands_in_the_file_and_the_image_is_given_once() -> None:
    given = re.sub("IMAGE", "host/name@sha256:0", TEXT)

    assert CONTAINER["envFrom"] == [{"secretRef": {"name": "driftline"}}]
    assert "Secret" not in PARTS
    assert {part["kind"]: part for part in yaml.safe_load_all(given)}["Deployment"]["spec"][
        "template"
    ]["spec"]["containers"][0]["image"] == "host/name@sha256:0"


def test_the_documents_say_that_no_cluster_has_run_it() -> None:
    assert "nothing of it has run on a cluster" in CONTRIBUTING
