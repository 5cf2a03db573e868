"""`make doctor`: every statement of tools/invariants.sql must find nothing in the database."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.servers import ensure_servers  # noqa: E402  # the root must be on the path first


def statements(path: Path = ROOT / "tools" / "invariants.sql") -> dict[str, str]:
    """Name -> SQL, from `-- name: x` headings."""
    parts = re.split(r"^-- name: *(\w+) *$", path.read_text(encoding="utf-8"), flags=re.M)
    return {name: sql.strip().rstrip(";") for name, sql in zip(parts[1::2], parts[2::2], strict=True)}


def broken(connection: sa.Connection) -> dict[str, list[str]]:
    """Invariants that do not hold, with the first rows that break them."""
    found = {}
    for name, sql in statements().items():
        rows = connection.exec_driver_sql(sql).fetchmany(5)
        if rows:
            found[name] = [str(tuple(row)) for row in rows]
    return found


def main() -> int:
    """Check and say; 1 when something is broken."""
    running = (ROOT / "var" / "postgres" / "postmaster.pid").exists()
    servers = ensure_servers(ROOT / "var")
    try:
        with sa.create_engine(os.environ.get("DATABASE_URL") or servers.database_url).connect() as connection:
            found = broken(connection)
    finally:
        if not running:
            servers.stop()
    for name, rows in found.items():
        print(f"BROKEN {name}:", *rows, sep="\n    ")
    print(f"{len(statements()) - len(found)} of {len(statements())} invariants hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
