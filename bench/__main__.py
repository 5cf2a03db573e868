"""`make bench`: every benchmark of this folder at its small scale, one after the other.

One that needs data of its own says so when it is run alone: `python -m bench.<name> --help`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WRONG_ARGUMENTS = 2
"""What argparse exits with when a file or folder must be named."""


def main() -> int:
    """Run all; 1 when one fails."""
    failed = []
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        print(f"\n## bench.{path.stem}", flush=True)
        answer = subprocess.run([sys.executable, "-m", f"bench.{path.stem}"], stderr=subprocess.PIPE, check=False)
        if answer.returncode == WRONG_ARGUMENTS:
            print(f"not run: it needs data; python -m bench.{path.stem} --help")
        elif answer.returncode:
            failed.append(path.stem)
            print(answer.stderr.decode(errors="replace"), file=sys.stderr)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
