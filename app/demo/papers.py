"""Bank details, documents and agreements of demo companies. Every file says that it is a demonstration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.accounts import agreements, documents
from app.accounts.requisites import account_is_valid
from app.core import clock
from app.core.storage import Storage
from app.demo.copying import Table

BANK = {"bik": "049900999", "correspondent_account": "30101810500000000999", "name": "Банк Демо"}
"""A bank of the region 99, which is not given out."""
OPERATOR = 5
"""The user who decided: `admin@` of the demo."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A file of a demo company."""

    stored_name: str
    text: str


def bank(number: int) -> dict[str, str]:
    """Details of a demo company whose account has a right control key."""
    accounts = (f"40702810{key}9999{number:07d}" for key in range(10))
    return BANK | {"account": next(one for one in accounts if account_is_valid(one, BANK["bik"]))}


def bring(
    papers: Table, signed: Table, organisation: int, owner: int, inn: str, kind: str, *, accepted: bool
) -> list[Paper]:
    """The documents that the operator asks for, accepted or waiting, and the agreement of a seller."""
    made = []
    for paper in documents.required(inn):
        stored = f"documents/demo-{organisation}-{paper}.pdf"
        text = f"Demonstration document: {paper} of the demo company with INN {inn}. Not a real document."
        ends = clock.today() + timedelta(days=20) if organisation == 1 and paper == "registration" else None
        decided = (OPERATOR, clock.now()) if accepted else (None, None)
        papers.add(
            organisation, paper, f"{paper}.pdf", stored, "pdf", len(pdf(text)), "accepted" if accepted else "pending",
            owner, *decided, ends,
        )  # fmt: skip
        made.append(Paper(stored, text))
    agreement = agreements.current(kind)
    if agreement is not None:
        signed.add(organisation, agreement.version, owner)
    return made


def store(storage: Storage, papers: Sequence[Paper]) -> None:
    """Write the files."""
    for paper in papers:
        storage.put(paper.stored_name, pdf(paper.text), "application/pdf")


def pdf(text: str) -> bytes:
    """One page with a line of Latin text (ISO 32000-1, 7.5)."""
    drawn = f"BT /F1 11 Tf 40 780 Td ({text}) Tj ET".encode("ascii")
    parts = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    tail = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(body))
    return body + head + table + tail
