"""Goods that go back: what sellers take back, asking, answering, counting, paying; photographs."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from flask import Response, current_app, request
from pydantic import Field

from app import access
from app.api.kernel import PREFIX, Answer, Api, given_id
from app.api.orders import cursor_id
from app.api.schemas import MoneyOut, Page, PageQuery, QuantityText, Schema, Utc, money
from app.catalog.picture_files import Upload
from app.core import clock
from app.core.permissions import Actor, Permission
from app.offers import return_terms
from app.offers.return_terms import Terms
from app.orders import case_queries, evidence, return_desk, return_rules, returns
from app.orders.case_queries import EVERYBODY, Photo, ReturnRow, ReturnView, Scope
from app.orders.return_desk import Count
from app.web.evidence import file_of

api = Api("returns", tag="Orders and money")
Reason = Literal["leftover", "damaged", "wrong"]
State = Literal["requested", "approved", "in_transit", "received", "refunded", "rejected", "cancelled"]


class TermsIn(Schema):
    """Leftovers; `sections`: slugs of sections not taken back, with all below them."""

    accepts: bool
    days: int = Field(default=14, ge=1, le=return_terms.MOST_DAYS)
    whole_packs: bool = True
    fee_percent: QuantityText = Field(default=return_terms.SILENT.fee_percent, ge=0, le=return_terms.MOST_FEE)
    carried_by: Literal["buyer", "seller"] = "buyer"
    sections: list[str] = Field(default=[], max_length=return_terms.MOST_CATEGORIES)


class TermsOut(TermsIn):
    """As they hold for orders placed now; `sections` are slugs."""


class LineOut(Schema):
    """A line that was handed over, in units of sale: `delivered`, `returnable` of it still; `leftover_refusal`: why not
    as a leftover (a code). `worth`: of all that is returnable, before any fee."""

    line: uuid.UUID
    name_ru: str
    name_en: str
    unit: str
    delivered: QuantityText
    returnable: QuantityText
    delivered_at: Utc
    leftover_until: Utc
    fault_until: Utc
    leftover_refusal: str
    worth: MoneyOut


class OptionsOut(Schema):
    """What may go back of an order, under the terms it was placed with."""

    order: str
    terms: TermsOut
    lines: list[LineOut]


class PhotoForm(Schema):
    """The picture is the part `file`; nothing else is said of it."""


class PhotoAccepted(Schema):
    """To be named in a return or claim within a day."""

    id: uuid.UUID


class PhotoOut(Schema):
    """`waiting` until a worker has made a clean picture of it; `ready` ones are at /evidence/{id}."""

    id: uuid.UUID
    state: Literal["waiting", "ready", "refused"]


class LineIn(Schema):
    """So many units of sale of a line."""

    line: uuid.UUID
    quantity: QuantityText = Field(gt=0, le=1_000_000)


class ReturnIn(Schema):
    """`photos` are needed for damaged and wrong goods."""

    reason: Reason
    lines: list[LineIn] = Field(min_length=1, max_length=200)
    note: str = Field(default="", max_length=return_rules.NOTE_LENGTH)
    photos: list[uuid.UUID] = Field(default=[], max_length=return_rules.MOST_PHOTOS)


class BackLineOut(Schema):
    """A line of a return, in units of sale; `total`: what it comes to before the fee."""

    line: uuid.UUID
    name_ru: str
    name_en: str
    unit: str
    quantity: QuantityText
    received: QuantityText | None
    fit: QuantityText | None
    total: MoneyOut


class ReturnBrief(Schema):
    """A return in a list. `next_by`: when the market decides for who is silent."""

    id: uuid.UUID
    order: str
    seller: str
    status: State
    reason: Reason
    created_at: Utc
    next_by: Utc | None
    escalated: bool


class HistoryOut(Schema):
    """A step."""

    kind: str
    reason: str
    details: dict[str, Any]
    at: Utc


class ReturnOut(ReturnBrief):
    """A return. `goods` - `fee` = `back`: as paid, or as it would be paid now."""

    note: str
    answer: str
    count_note: str
    carried_by: Literal["buyer", "seller"]
    fee_percent: QuantityText
    lines: list[BackLineOut]
    photos: list[PhotoOut]
    goods: MoneyOut
    fee: MoneyOut
    back: MoneyOut
    refund: str | None
    history: list[HistoryOut]


class AnswerIn(Schema):
    """A word to the buyer."""

    answer: str = Field(default="", max_length=return_rules.NOTE_LENGTH)


class CountIn(Schema):
    """So much came, and so much of it can be sold again (all of it when left out)."""

    line: uuid.UUID
    received: QuantityText = Field(ge=0, le=1_000_000)
    fit: QuantityText | None = Field(default=None, ge=0, le=1_000_000)


class ReceiveIn(Schema):
    """Lines that are left out came whole; without a warehouse: where the first line left from."""

    lines: list[CountIn] = Field(default=[], max_length=200)
    warehouse: uuid.UUID | None = None
    count_note: str = Field(default="", max_length=return_rules.NOTE_LENGTH)


class ReturnsQuery(PageQuery):
    """`tab`: requested, coming, received, stuck (before the operator) or over."""

    tab: Literal["requested", "coming", "received", "stuck", "over"] | None = None
    reason: Reason | None = None


def photos_out(photos: tuple[Photo, ...]) -> list[PhotoOut]:
    """Photographs of a case."""
    return [PhotoOut(id=one.public_id, state=one.state) for one in photos]


def _terms_out(terms: Terms) -> TermsOut:
    sections = [one.slug for one in return_terms.names_of([terms]).values()]
    return TermsOut(
        accepts=terms.accepts, days=terms.days, whole_packs=terms.whole_packs, fee_percent=terms.fee_percent,
        carried_by=terms.carried_by, sections=sections,
    )  # fmt: skip


def _brief(row: ReturnRow) -> dict[str, Any]:
    return {
        "id": row.public_id, "order": row.number, "seller": row.seller_name, "status": row.status,
        "reason": row.reason, "created_at": row.created_at, "next_by": row.due_at,
        "escalated": row.escalated_at is not None,
    }  # fmt: skip


def _out(view: ReturnView) -> ReturnOut:
    row = view.row
    lines = [
        BackLineOut(
            line=one.line.public_id, name_ru=one.line.name_ru, name_en=one.line.name_en, unit=one.line.unit,
            quantity=one.quantity, received=one.received, fit=one.fit, total=money(one.worth),
        )
        for one in view.lines
    ]  # fmt: skip
    history = [HistoryOut(kind=one.kind, reason=one.reason, details=one.details, at=one.at) for one in view.history]
    return ReturnOut(
        **_brief(row), note=row.note, answer=row.answer, count_note=row.count_note, carried_by=row.carried_by,
        fee_percent=row.fee_percent, lines=lines, photos=photos_out(view.photos), goods=money(view.goods),
        fee=money(view.fee), back=money(view.back), refund=view.refund.status if view.refund else None, history=history,
    )  # fmt: skip


def _page(scope: Scope, query: ReturnsQuery) -> Page[ReturnBrief]:
    rows = case_queries.returns(
        scope, query.tab or "", query.reason or "", before=cursor_id(query.cursor), limit=query.limit + 1
    )  # fmt: skip
    shown = rows[: query.limit]
    more = str(shown[-1].id) if len(rows) > query.limit else None
    return Page[ReturnBrief](items=[ReturnBrief(**_brief(row)) for row in shown], next_cursor=more)


def _own(case: str) -> ReturnOut:
    return _out(case_queries.return_view(case_queries.buyers(access.actor()), given_id(case)))


def _desk(case: str) -> ReturnOut:
    """As the seller sees it; any for the operator."""
    actor = access.actor()
    return _out(case_queries.return_view(_at_desk(actor), given_id(case)))


def _at_desk(actor: Actor) -> Scope:
    return EVERYBODY if actor.is_admin else case_queries.sellers(actor)


@api.get("/sellers/{seller}/return-terms", permission=Permission.PUBLIC, answer=TermsOut, summary="What is taken back")
def terms_of(seller: str) -> TermsOut:
    """Of a seller, by its slug."""
    return _terms_out(return_terms.of_slug(seller))


@api.get("/seller/return-terms", permission=Permission.SELLER_OFFERS, answer=TermsOut, summary="Own terms of returns")
def own_terms() -> TermsOut:
    """As they hold now."""
    seller = access.actor().seller_id
    return _terms_out(return_terms.current([seller])[seller])


@api.put(
    "/seller/return-terms", permission=Permission.SELLER_OFFERS, body=TermsIn, answer=TermsOut,
    summary="Set own terms of returns", example={"accepts": True, "days": 14, "fee_percent": "5"},
)  # fmt: skip
def set_terms(body: TermsIn) -> TermsOut:
    """For orders placed from now on; those placed before keep theirs."""
    terms = Terms(body.accepts, body.days, body.whole_packs, body.fee_percent, body.carried_by)
    return_terms.change(access.actor(), terms, body.sections)
    return own_terms()


@api.post(
    "/evidence", permission=Permission.BUY, form=PhotoForm, answer=PhotoAccepted, status=201,
    summary="Send a photograph of goods",
)  # fmt: skip
def send_photo(form: PhotoForm) -> PhotoAccepted:
    """JPEG, PNG or WebP, up to 15 MB, in the part `file`. A worker makes it clean of what the camera wrote."""
    file = request.files.get("file")
    upload = Upload(file.filename or "" if file else "", file.read() if file else b"")
    return PhotoAccepted(id=evidence.receive(access.actor(), current_app.extensions["storage"], upload))


@api.get("/evidence/{photo}", permission=Permission.ACCOUNT, summary="A photograph of goods", status=200)
def photo_file(photo: str) -> Response:
    """WebP, for the buyer, the order's seller and the operator."""
    return file_of(given_id(photo))


@api.get("/orders/{number}/returns", permission=Permission.BUY, answer=OptionsOut, summary="What may go back")
def options(number: str) -> OptionsOut:
    """404 while nothing of the order was handed over."""
    found = case_queries.options(case_queries.buyers(access.actor()), number)
    lines = [
        LineOut(
            line=one.public_id, name_ru=one.name_ru, name_en=one.name_en, unit=one.unit,
            delivered=one.units(one.base), returnable=one.units(one.left), delivered_at=one.at,
            leftover_until=one.until("leftover", found.terms), fault_until=one.until("damaged", found.terms),
            leftover_refusal=one.refusal("leftover", found.terms, clock.now()),
            worth=money(min(one.worth(one.left), found.left[one.id])),
        )
        for one in found.lines
    ]  # fmt: skip
    return OptionsOut(order=found.number, terms=_terms_out(found.terms), lines=lines)


@api.post(
    "/orders/{number}/returns", permission=Permission.BUY, body=ReturnIn, answer=ReturnOut, status=201,
    required_key=True, summary="Ask to send goods back",
    example={"reason": "leftover", "lines": [{"line": "01a0b1c2-0000-7000-8000-000000000001", "quantity": "3"}]},
)  # fmt: skip
def ask(number: str, body: ReturnIn) -> Answer:
    """Leftovers under the terms of the order, damaged and wrong goods within two weeks."""
    lines = {one.line: one.quantity for one in body.lines}
    wanted = returns.Wanted(body.reason, lines, body.note, tuple(body.photos))
    key = returns.request(access.actor(), number, wanted)
    return Answer(_own(str(key)), 201, {"Location": f"{PREFIX}/returns/{key}"})


@api.get("/returns", permission=Permission.BUY, query=ReturnsQuery, answer=Page[ReturnBrief], summary="Own returns")
def index(query: ReturnsQuery) -> Page[ReturnBrief]:
    """Newest first."""
    return _page(case_queries.buyers(access.actor()), query)


@api.get("/returns/{case}", permission=Permission.BUY, answer=ReturnOut, summary="An own return")
def show(case: str) -> ReturnOut:
    """With its money and history."""
    return _own(case)


@api.post("/returns/{case}/send", permission=Permission.BUY, answer=ReturnOut, summary="The goods are on their way")
def send(case: str) -> ReturnOut:
    """409 `return_state` unless it is approved."""
    returns.send(access.actor(), given_id(case))
    return _own(case)


@api.post("/returns/{case}/cancel", permission=Permission.BUY, answer=ReturnOut, summary="Keep the goods")
def cancel(case: str) -> ReturnOut:
    """409 `return_state` once they are on their way."""
    returns.cancel(access.actor(), given_id(case))
    return _own(case)


@api.get(
    "/seller/returns", permission=Permission.SELLER_VIEW, query=ReturnsQuery, answer=Page[ReturnBrief],
    summary="Returns to the seller",
)  # fmt: skip
def seller_index(query: ReturnsQuery) -> Page[ReturnBrief]:
    """Newest first."""
    return _page(case_queries.sellers(access.actor()), query)


@api.get(
    "/seller/returns/{case}", permission=Permission.SELLER_VIEW, answer=ReturnOut, summary="A return to the seller"
)
def seller_show(case: str) -> ReturnOut:
    """With its money and history."""
    return _out(case_queries.return_view(case_queries.sellers(access.actor()), given_id(case)))


@api.post(
    "/returns/{case}/approve", permission=Permission.SELLER_ORDERS, body=AnswerIn, answer=ReturnOut,
    summary="Let goods come back", example={"answer": "Склад 1, с 9 до 18"},
)  # fmt: skip
def approve(case: str, body: AnswerIn) -> ReturnOut:
    """The buyer has two weeks to send them."""
    return_desk.approve(access.actor(), given_id(case), body.answer)
    return _desk(case)


@api.post(
    "/returns/{case}/receive", permission=Permission.SELLER_PICK, body=ReceiveIn, answer=ReturnOut,
    summary="Count goods that came back", example={"lines": []},
)  # fmt: skip
def receive(case: str, body: ReceiveIn) -> ReturnOut:
    """Less than was sent needs `count_note`."""
    counts = {one.line: Count(one.received, one.received if one.fit is None else one.fit) for one in body.lines}
    return_desk.receive(access.actor(), given_id(case), counts, body.warehouse, body.count_note)
    return _desk(case)


@api.post(
    "/returns/{case}/refund", permission=Permission.REFUND, answer=ReturnOut, required_key=True,
    summary="Pay counted goods back",
)  # fmt: skip
def refund(case: str) -> ReturnOut:
    """They go to the seller's stock. 409 `return_state`, `return_came_empty`, `refund_too_early`."""
    return_desk.refund(access.actor(), given_id(case))
    return _desk(case)


@api.post(
    "/returns/{case}/reject", permission=Permission.SELLER_ORDERS, body=AnswerIn, answer=ReturnOut,
    summary="Reject a return", example={"answer": "Упаковка вскрыта"},
)  # fmt: skip
def reject(case: str, body: AnswerIn) -> ReturnOut:
    """At once, or after the count; `answer` is needed."""
    return_desk.reject(access.actor(), given_id(case), body.answer)
    return _desk(case)


@api.get(
    "/admin/returns", permission=Permission.ADMIN_MONEY, query=ReturnsQuery, answer=Page[ReturnBrief],
    summary="Returns of all sellers",
)  # fmt: skip
def admin_index(query: ReturnsQuery) -> Page[ReturnBrief]:
    """Newest first."""
    return _page(EVERYBODY, query)


@api.get("/admin/returns/{case}", permission=Permission.ADMIN_MONEY, answer=ReturnOut, summary="Any return")
def admin_show(case: str) -> ReturnOut:
    """With its money and history."""
    return _out(case_queries.return_view(EVERYBODY, given_id(case)))


@api.post(
    "/admin/returns/{case}/receive", permission=Permission.ADMIN_MONEY, body=ReceiveIn, answer=ReturnOut,
    summary="Count in the seller's place", example={"lines": []},
)  # fmt: skip
def admin_receive(case: str, body: ReceiveIn) -> ReturnOut:
    """For goods that nobody counts."""
    return receive(case, body)
