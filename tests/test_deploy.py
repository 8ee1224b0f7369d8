"""What `deploy/` holds is in order by the tools of those who read it, and starts what there is.

There is no container engine or cluster here: that the images build and the containers start is not tried.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml
from dagster._cli import create_dagster_cli
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_webserver.cli import dagster_webserver

from pipelines.cli import app

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
VALUES: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PROGRAMS = {
    "keten": typer.main.get_command(app),
    "dagster": create_dagster_cli(),
    "dagster-daemon": create_dagster_daemon_cli(),
    "dagster-webserver": dagster_webserver,
}
SETTING = re.compile(r"\$\{(\w+)")


def tool(name: str, *arguments: str | Path) -> str:
    """What a tool beside this Python says; it must find nothing to complain of."""
    program = Path(sys.executable).with_name(name)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def command_lines() -> dict[str, list[str]]:
    """Every command line of `deploy/`, by where it stands."""
    lines = {}
    for unit in UNITS:
        for key, line in re.findall(r"^(Exec\w+)=\S+/(keten .*)$", unit.read_text("utf-8"), re.MULTILINE):
            lines[f"{unit.name} {key}"] = shlex.split(line)
    for name, service in COMPOSE["services"].items():
        if "command" in service:
            lines[f"compose {name}"] = shlex.split(service["command"])
        test = service.get("healthcheck", {}).get("test", [])
        if test[:1] == ["CMD"]:
            lines[f"compose {name} healthcheck"] = test[1:]
    (code,) = VALUES["dagster-user-deployments"]["deployments"]
    lines["values code"] = ["dagster", "code-server", "start", *code["codeServerArgs"]]
    for sidecar in code["sidecarContainers"]:
        lines[f"values {sidecar['name']}"] = sidecar["command"]
    return lines


def parse(program: Any, name: str, arguments: list[str], parent: Any = None) -> None:
    """Read a command line as its program would, without doing what it says. Raises its UsageError."""
    context = program.make_context(name, list(arguments), parent=parent)
    rest = [*context._protected_args, *context.args]
    if hasattr(program, "resolve_command"):  # a group, of click itself or of the copy that Typer carries
        found, command, rest = program.resolve_command(context, rest)
        assert command is not None
        parse(command, str(found), rest, context)
    elif name == "exec":
        parse(PROGRAMS[context.params["command"][0]], *_head(context.params["command"]))


def _head(line: list[str]) -> tuple[str, list[str]]:
    name, *arguments = line
    return name, arguments


@pytest.mark.parametrize("place", command_lines())
def test_a_command_line_is_one_that_its_program_reads(place: str) -> None:
    name, arguments = _head(command_lines()[place])
    parse(PROGRAMS[name], name, arguments)


def test_a_command_line_that_its_program_does_not_read_is_found() -> None:
    with pytest.raises(click.UsageError, match="--workspce"):
        parse(PROGRAMS["keten"], "keten", ["exec", "dagster-daemon", "run", "--workspce", "x"])


@pytest.mark.skipif(
    not shutil.which("systemd-analyze") and os.environ.get("CI") != "true", reason="this machine has no systemd"
)
def test_the_units_are_what_systemd_reads(tmp_path: Path) -> None:
    for unit in (DEPLOY / "systemd").glob("ketenimpact*.*"):
        text = unit.read_text("utf-8").replace("/opt/ketenimpact/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text.replace("/opt/ketenimpact", str(ROOT)), "utf-8")
    units = [p for p in sorted(tmp_path.iterdir()) if p.suffix in (".service", ".timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_may_write_its_home_only_and_has_no_rights_of_root(unit: Path) -> None:
    lines = set(unit.read_text("utf-8").splitlines())
    assert lines >= {
        "User=ketenimpact",
        "StateDirectory=ketenimpact",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "EnvironmentFile=/etc/ketenimpact/environment",
    }
    assert not any(line.startswith(("ReadWritePaths", "Environment=")) for line in lines)


def test_the_composition_is_what_compose_reads() -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_the_image_is_built_as_its_linter_wants_it() -> None:
    tool("hadolint", DEPLOY / "Dockerfile")


def test_the_claim_is_what_kubernetes_reads() -> None:
    tool("kubernetes-validate", DEPLOY / "kubernetes" / "claim.yaml")


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]
    hosts = {place: line[line.index("--host") + 1] for place, line in command_lines().items() if "--host" in line}
    assert {hosts[place] for place in hosts if ".service" in place} == {"127.0.0.1"}


def test_one_container_writes_the_home() -> None:
    mounts = {name: service.get("volumes", []) for name, service in COMPOSE["services"].items()}
    assert [name for name, mounted in mounts.items() if "home:/var/lib/ketenimpact" in mounted] == ["code"]
    assert VALUES["dagster-user-deployments"]["deployments"][0]["replicaCount"] == 1


def test_what_compose_asks_of_the_environment_is_in_the_example_and_nothing_else() -> None:
    asked = set(SETTING.findall((DEPLOY / "compose.yaml").read_text("utf-8")))
    told = set(re.findall(r"^(\w+)=", (DEPLOY / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert asked == told


def test_versions_are_pinned_and_those_of_the_product() -> None:
    code = VALUES["dagster-user-deployments"]["deployments"][0]
    assert code["image"]["tag"] == PROJECT["version"]
    assert {c["image"].rpartition(":")[2] for c in code["sidecarContainers"]} == {PROJECT["version"]}
    dagster = re.search(r"^dagster==(\S+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    assert dagster and f"version {dagster[1]} " in (DEPLOY / "kubernetes" / "values.yaml").read_text("utf-8")
    images = [service["image"] for service in COMPOSE["services"].values()]
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    for image in images:
        assert re.search(r":(\d+\.\d+|\$\{KETEN_VERSION:-" + re.escape(PROJECT["version"]) + r"\})", image), image


def test_a_server_gets_the_same_libraries_as_the_tests_had() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))

    served, tested = pins("requirements.lock"), pins("requirements-dev.lock")
    assert served.items() <= tested.items()
    assert "pytest" in tested and "pytest" not in served
