"""Copies the browser libraries out of node_modules into static/vendor and cuts the icon sprite.

    npm ci && python tools/vendor.py            write the copies and VERSIONS.txt
    npm ci && python tools/vendor.py --check    exit 1 when the committed copies differ from the packages

Without node_modules `--check` still compares every committed file with the sha256 in VERSIONS.txt.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"

COPIES: dict[str, tuple[str, ...]] = {
    "htmx.org": ("dist/htmx.min.js",),
    "idiomorph": ("dist/idiomorph-ext.min.js",),
    "leaflet": (
        "dist/leaflet.js",
        "dist/leaflet.css",
        "dist/images/layers.png",
        "dist/images/layers-2x.png",
        "dist/images/marker-icon.png",
    ),
}
"""Package: files of it that pages load."""

ICON_PACKAGE = "lucide-static"
# fmt: off
ICONS = (
    "activity", "arrow-left", "arrow-right", "arrow-up-right", "badge-check", "ban", "banknote", "bell",
    "book-open", "bookmark", "box", "brick-wall", "building-2", "calculator", "calendar", "calendar-clock",
    "camera", "chart-line", "check", "chevron-down", "chevron-left", "chevron-right", "chevron-up", "circle-alert",
    "circle-check", "circle-dot", "circle-help", "circle-user", "circle-x", "clock", "columns-3", "copy", "cpu",
    "download", "ellipsis-vertical", "external-link", "eye", "file-down", "file-spreadsheet", "file-text",
    "filter", "fingerprint", "gauge", "globe", "grip-vertical", "hammer", "hard-hat", "heart", "history", "house",
    "image", "info", "key-round", "keyboard", "languages", "layers", "layout-dashboard", "link", "list",
    "list-checks", "log-in", "log-out", "mail", "map", "map-pin", "menu", "message-square", "minus", "monitor",
    "moon", "navigation", "package", "package-check", "pencil", "percent", "phone", "plus", "printer",
    "receipt-text", "refresh-cw", "rotate-ccw", "route", "ruler", "scale", "scroll-text", "search", "send",
    "settings", "shield-check", "shopping-cart", "sliders-horizontal", "smartphone", "snowflake", "sparkles",
    "star", "store", "sun", "tags", "timer", "trash-2", "trending-down", "trending-up", "triangle-alert", "truck",
    "undo-2", "upload", "user", "users", "wallet", "warehouse", "weight", "wifi-off", "x", "zap",
)
# fmt: on
"""Names of the icons in the sprite. Add one here, run the script, and `icon("name")` knows it."""

SHAPES = re.compile(r"<(?:path|circle|rect|line|polyline|polygon|ellipse)\b[^>]*/>")


def package(name: str) -> dict[str, str]:
    """Version and licence of an installed package."""
    about = json.loads((MODULES / name / "package.json").read_text(encoding="utf-8"))
    return {"version": about["version"], "license": about["license"]}


def sprite() -> str:
    """One SVG file with a <symbol> per icon."""
    version = package(ICON_PACKAGE)["version"]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg"><!-- {ICON_PACKAGE} {version}, ISC -->']
    for name in sorted(ICONS):
        source = (MODULES / ICON_PACKAGE / "icons" / f"{name}.svg").read_text(encoding="utf-8")
        shapes = "".join(re.sub(r"\s+/>", "/>", shape) for shape in SHAPES.findall(source))
        parts.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def wanted() -> dict[str, bytes]:
    """Every file of static/vendor: path inside the folder to its bytes."""
    files: dict[str, bytes] = {}
    lines: list[str] = []
    for name, sources in COPIES.items():
        about = package(name)
        for source in sources:
            path = source.removeprefix("dist/")
            files[path] = (MODULES / name / source).read_bytes()
            lines.append(_line(path, files[path], name, about))
        licence = f"licenses/{name}.txt"
        files[licence] = (MODULES / name / "LICENSE").read_bytes()
        lines.append(_line(licence, files[licence], name, about))
    about = package(ICON_PACKAGE)
    for path, data in (
        ("icons.svg", sprite().encode()),
        (
            f"licenses/{ICON_PACKAGE}.txt",
            (MODULES / ICON_PACKAGE / "LICENSE").read_bytes(),
        ),
    ):
        files[path] = data
        lines.append(_line(path, data, ICON_PACKAGE, about))
    files["VERSIONS.txt"] = ("# file  package version  licence  sha256\n" + "".join(sorted(lines))).encode()
    return files


def _line(path: str, data: bytes, name: str, about: dict[str, str]) -> str:
    return f"{path}  {name} {about['version']}  {about['license']}  {hashlib.sha256(data).hexdigest()}\n"


def write(files: dict[str, bytes]) -> None:
    """Write the files and remove what is no longer vendored."""
    for path, data in files.items():
        target = VENDOR / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    for extra in set(present()) - set(files):
        (VENDOR / extra).unlink()


def present() -> dict[str, bytes]:
    """Every committed file of static/vendor."""
    return {str(p.relative_to(VENDOR)): p.read_bytes() for p in VENDOR.rglob("*") if p.is_file()}


def check_hashes(files: dict[str, bytes]) -> list[str]:
    """Names of committed files that are missing or differ from the hash in VERSIONS.txt."""
    bad = []
    for line in files.get("VERSIONS.txt", b"").decode().splitlines():
        if line.startswith("#"):
            continue
        path, _, rest = line.partition("  ")
        if hashlib.sha256(files.get(path, b"")).hexdigest() != rest.split()[-1]:
            bad.append(path)
    return bad


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="vendored browser libraries")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    if not check:
        write(wanted())
        print(f"{len(present())} files in {VENDOR.relative_to(ROOT)}")
        return 0
    files = present()
    bad = check_hashes(files)
    if MODULES.is_dir():
        expected = wanted()
        bad += [path for path in sorted(expected.keys() | files.keys()) if expected.get(path) != files.get(path)]
    for path in sorted(set(bad)):
        print(f"differs: static/vendor/{path}")
    if not files or bad:
        print("run: npm ci && python tools/vendor.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
