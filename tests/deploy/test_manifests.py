"""The manifests: they are what their formats allow, fit the image and its configuration, and leave time for a graceful end."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.dockerfile import read

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
IMAGE = read((DEPLOY / "Dockerfile").read_text())[-1].image
CONFIGURATION = (DEPLOY / "container/httpd.conf").read_text()
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def content(path: str) -> Any:
    return yaml.safe_load((DEPLOY / path).read_text())


def seconds_of_the_server() -> int:
    found = re.search(r"^GracefulShutdownTimeout ([0-9]+)$", CONFIGURATION, re.MULTILINE)
    assert found is not None
    return int(found[1])


POD = content("kubernetes/deployment.yaml")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
SERVICE = content("compose.yaml")["services"]["web"]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_is_what_kubernetes_allows(path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    assert validate.validate(yaml.safe_load(path.read_text()), "1.30", strict=True)


def test_kustomize_puts_them_together() -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run([kubectl, "kustomize", str(DEPLOY)], capture_output=True, text=True, check=True)
    found = {one["kind"]: one for one in yaml.safe_load_all(done.stdout) if one["kind"] != "ConfigMap"}
    assert set(found) == {"Deployment", "Service", "PodDisruptionBudget"}
    volumes = {one["name"]: one for one in found["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    named = {one["metadata"]["name"]: one for one in yaml.safe_load_all(done.stdout) if one["kind"] == "ConfigMap"}
    assert named[volumes["config"]["configMap"]["name"]]["data"]["httpd.conf"] == CONFIGURATION


def test_everything_selects_the_pods() -> None:
    labels = content("kubernetes/deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    assert content("kubernetes/service.yaml")["spec"]["selector"] == labels
    assert content("kubernetes/poddisruptionbudget.yaml")["spec"]["selector"]["matchLabels"] == labels


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_ask_for_what_is_served(probe: str) -> None:
    ports = {one["name"]: one["containerPort"] for one in CONTAINER["ports"]}
    asked = CONTAINER[probe]["httpGet"]
    assert f"\nListen {ports[asked['port']]}\n" in CONFIGURATION
    assert f"\nAlias {asked['path']} " in CONFIGURATION


def test_kubernetes_waits_longer_than_the_server_takes() -> None:
    sleep = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep[0] == "sleep"
    assert POD["terminationGracePeriodSeconds"] >= int(sleep[1]) + seconds_of_the_server() + 5


def test_compose_waits_longer_than_the_server_takes() -> None:
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) >= seconds_of_the_server() + 5


def test_nothing_is_root_or_can_be() -> None:
    uid = int(IMAGE.user.split(":")[0])
    assert POD["securityContext"]["runAsNonRoot"] and POD["securityContext"]["runAsUser"] == uid
    rights = CONTAINER["securityContext"]
    assert rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert SERVICE["read_only"] and SERVICE["cap_drop"] == ["ALL"] and SERVICE["security_opt"] == ["no-new-privileges:true"]


def test_what_is_written_has_a_place() -> None:
    (folder,) = re.findall(r"^PidFile (/.*)/[^/]+$", CONFIGURATION, re.MULTILINE)
    assert folder in [one["mountPath"] for one in CONTAINER["volumeMounts"]]
    assert SERVICE["tmpfs"][0].startswith(f"{folder}:uid={IMAGE.user.split(':')[0]},")


def test_what_compose_mounts_is_there() -> None:
    for mounted in SERVICE["volumes"]:
        source, target, mode = mounted.split(":")
        assert (DEPLOY / source).exists() and target.startswith("/") and mode == "ro"
    assert (DEPLOY / SERVICE["build"]["context"] / SERVICE["build"]["dockerfile"]).is_file()
