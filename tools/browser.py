"""Finds a browser for the tests, and installs Debian's chromium when there is none and we may. Prints its path."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-liberation")


def find() -> str | None:
    """CHROME_PATH, an installed Chromium or Chrome, else Playwright's own."""
    named = os.environ.get("CHROME_PATH", "")
    if named and Path(named).exists():
        return named
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    own = sorted(glob.glob(os.path.expanduser("~/.cache/ms-playwright/chromium-*/chrome-linux*/chrome")))
    return own[-1] if own else None


def install() -> None:
    """Debian's package, as root."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in ([apt, "update", "-q"], [apt, "install", "-y", "-q", "--no-install-recommends", *PACKAGES]):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)


def main() -> None:
    """Say what was found."""
    if find() is None:
        install()
    found = find()
    print(f"browser: {found}" if found else "browser: none found; the browser flows will be skipped", file=sys.stderr)


if __name__ == "__main__":
    main()
