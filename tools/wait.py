"""`python tools/wait.py URL`: returns when the address answers, or after a minute all the same."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request

if __name__ == "__main__":
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(sys.argv[1], timeout=2).close()
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
