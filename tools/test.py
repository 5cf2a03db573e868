"""`make test`: the whole suite in parallel, ending in one clear line."""

from __future__ import annotations

import os
import subprocess
import sys
import time


def main() -> int:
    """Run pytest; returns its exit code."""
    started = time.monotonic()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "auto",
        "--dist",
        "loadfile",
        "--no-loadscope-reorder",
        *sys.argv[1:],
    ]
    code = subprocess.run(command, check=False, env=environment).returncode
    word = "ALL TESTS PASSED" if code == 0 else f"TESTS FAILED (pytest exit code {code})"
    print(f"{word} in {time.monotonic() - started:.0f} s", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
