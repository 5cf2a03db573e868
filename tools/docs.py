"""`make docs`: writes the pages of docs/ that are made from the program."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask import Flask  # noqa: E402  # the root must be on the path first
from flask_babel import force_locale  # type: ignore[import-untyped]  # noqa: E402  # the package ships no types

import app as app_package  # noqa: E402
from app import access, create_app, texts  # noqa: E402
from app.core.machine import Machine  # noqa: E402
from app.core.permissions import GRANTS, Permission, Role  # noqa: E402
from app.settings import Settings  # noqa: E402

PERMISSIONS = ROOT / "docs" / "permissions.md"
API = ROOT / "docs" / "api.md"
STATES = ROOT / "docs" / "states.md"
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
ERRORS_BEGIN = "<!-- error codes: made by `make docs` from app/texts -->"


def described() -> Flask:
    """An application that is only looked at: nothing is connected."""
    return create_app(
        Settings(
            environment="test",
            secret_key="only-for-reading-the-routes",
            database_url="postgresql+psycopg2://nobody@/nothing",
            redis_url="redis://127.0.0.1:1/0",
        )
    )


def permissions_page(app: Flask) -> str:
    """Who may do what, and the routes behind every permission, as Markdown."""
    roles = list(Role)
    lines = [
        "# Permissions",
        "",
        "Made by `make docs` from `app/core/permissions.py` and the registered routes; do not edit.",
        "A permission opens a door. Which objects lie behind it is decided by the query: the own ones, those of the",
        "organisation, those assigned. An object of somebody else answers exactly like one that does not exist.",
        "",
        f"| permission | {' | '.join(roles)} |",
        f"| --- | {' | '.join('---' for _ in roles)} |",
    ]
    for permission in Permission:
        cells = ("x" if role in GRANTS[permission] else "" for role in roles)
        lines.append(f"| `{permission}` | {' | '.join(cells)} |")
    routes: dict[Permission, set[str]] = {}
    guarded = access.permissions(app)
    for rule in app.url_map.iter_rules():
        if rule.endpoint in guarded:
            methods = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            routes.setdefault(guarded[rule.endpoint], set()).add(f"- `{methods} {rule.rule}`")
    for permission in Permission:
        lines += ["", f"## {permission}", "", *(sorted(routes.get(permission, ())) or ["No route yet."])]
    return "\n".join(lines) + "\n"


def api_page(app: Flask) -> str:
    """docs/api.md with a fresh table of error codes at its end."""
    codes: dict[str, object] = {}
    for module in pkgutil.iter_modules(texts.__path__):
        codes |= getattr(importlib.import_module(f"{texts.__name__}.{module.name}"), "ERRORS", {})
    written, mark, _ = API.read_text(encoding="utf-8").partition(ERRORS_BEGIN)
    if not mark:
        raise SystemExit(f"{API} has lost the line {ERRORS_BEGIN}")
    with app.test_request_context(), force_locale("en"):
        said = {code: PLACEHOLDER.sub(r"{\1}", str(codes[code])) for code in sorted(codes)}
    rows = [f"| `{code}` | {words} |" for code, words in said.items()]
    return "\n".join([written + mark, "", "| code | says |", "| --- | --- |", *rows]) + "\n"


def machines() -> list[Machine]:
    """Every state machine that a module of the domains declares, by name."""
    found = {}
    for module in pkgutil.walk_packages(app_package.__path__, "app."):
        if not module.name.startswith(("app.web", "app.api", "app.demo")):
            declared = vars(importlib.import_module(module.name)).values()
            found |= {one.name: one for one in declared if isinstance(one, Machine)}
    return [found[name] for name in sorted(found)]


def states_page() -> str:
    """The state machines as diagrams, in Markdown with Mermaid."""
    lines = [
        "# State machines",
        "",
        "Made by `make docs` from the machines that the domains declare (`app.core.machine.machine`); do not edit.",
        "A transition that is not drawn is refused: `<machine>_state`. Each one drawn is one function that locks the",
        "row, checks the machine, writes the history, the audit and the event in one transaction.",
    ]
    for one in machines():
        first = next(iter(one.table))
        lines += ["", f"## {one.name}", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
        for old, following in one.table.items():
            lines += [f"    {old} --> {new}" for new in sorted(following)] or [f"    {old} --> [*]"]
        lines.append("```")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the pages."""
    app = described()
    STATES.write_text(states_page(), encoding="utf-8")
    PERMISSIONS.write_text(permissions_page(app), encoding="utf-8")
    API.write_text(api_page(app), encoding="utf-8")


if __name__ == "__main__":
    main()
