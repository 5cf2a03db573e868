"""Price lists of sellers: read, matched, shown as a difference, and written in batches."""

from __future__ import annotations

import os

# Parts with entities are refused before openpyxl sees them (xlsx_file.check_archive), and its guarded parser, written
# in Python, reads four times slower than the one in C. It is chosen when openpyxl is imported, so before that.
os.environ.setdefault("OPENPYXL_DEFUSEDXML", "False")
