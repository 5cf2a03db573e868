"""Claims: opening, answering, the operator's word."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from pydantic import Field

from app import access
from app.api.kernel import PREFIX, Answer, Api, given_id
from app.api.orders import cursor_id
from app.api.returns import AnswerIn, HistoryOut, PhotoOut, photos_out
from app.api.schemas import MoneyIn, MoneyOut, Page, PageQuery, QuantityText, Schema, Utc, money
from app.core.permissions import Permission
from app.orders import case_queries, claims, return_rules
from app.orders.case_queries import EVERYBODY, ClaimRow, ClaimView, Scope

api = Api("claims", tag="Orders and money")
Kind = Literal["damaged", "short", "wrong"]
Wish = Literal["money", "replacement", "other"]
State = Literal["opened", "offered", "refused", "escalated", "agreed", "settled", "withdrawn"]


class ClaimIn(Schema):
    """`quantity` in units of sale; `amount` for the wish `money`; `photos` for damaged and wrong goods."""

    line: uuid.UUID
    kind: Kind
    quantity: QuantityText = Field(gt=0, le=1_000_000)
    wish: Wish
    amount: MoneyIn | None = None
    note: str = Field(min_length=1, max_length=return_rules.NOTE_LENGTH)
    photos: list[uuid.UUID] = Field(default=[], max_length=return_rules.MOST_PHOTOS)


class ClaimBrief(Schema):
    """A claim in a list. `next_by`: when it goes to the operator by itself."""

    id: uuid.UUID
    order: str
    seller: str
    status: State
    kind: Kind
    wish: Wish
    name_ru: str
    name_en: str
    unit: str
    quantity: QuantityText
    wanted: MoneyOut
    created_at: Utc
    next_by: Utc | None


class ClaimOut(ClaimBrief):
    """A claim. `left`: of the line, not given back yet; `settled`: what was agreed or decided."""

    note: str
    answer: str
    offered: MoneyOut | None
    settled: MoneyOut | None
    in_favour: Literal["", "buyer", "seller", "both"]
    decision: str
    left: MoneyOut
    refund: str | None
    photos: list[PhotoOut]
    history: list[HistoryOut]


class OfferIn(Schema):
    """Less than was wanted, or a sum instead of something else."""

    amount: MoneyIn
    answer: str = Field(min_length=1, max_length=return_rules.NOTE_LENGTH)


class DecisionIn(Schema):
    """Who is right, what goes back, and why."""

    in_favour: Literal["buyer", "seller", "both"]
    amount: MoneyIn
    decision: str = Field(min_length=1, max_length=return_rules.NOTE_LENGTH)


class ClaimsQuery(PageQuery):
    """`tab`: opened, answered (by the seller), escalated or over."""

    tab: Literal["opened", "answered", "escalated", "over"] | None = None
    kind: Kind | None = None


def _brief(row: ClaimRow) -> dict[str, Any]:
    return {
        "id": row.public_id, "order": row.number, "seller": row.seller_name, "status": row.status, "kind": row.kind,
        "wish": row.wish, "name_ru": row.name_ru, "name_en": row.name_en, "unit": row.unit, "quantity": row.quantity,
        "wanted": money(row.wanted), "created_at": row.created_at, "next_by": row.due_at if row.is_open else None,
    }  # fmt: skip


def _maybe(kopeks: int | None) -> MoneyOut | None:
    return None if kopeks is None else money(kopeks)


def _out(view: ClaimView) -> ClaimOut:
    row = view.row
    history = [HistoryOut(kind=one.kind, reason=one.reason, details=one.details, at=one.at) for one in view.history]
    return ClaimOut(
        **_brief(row), note=row.note, answer=row.answer, offered=_maybe(row.offered), settled=_maybe(row.settled),
        in_favour=row.in_favour, decision=row.decision, left=money(view.left),
        refund=view.refund.status if view.refund else None, photos=photos_out(view.photos), history=history,
    )  # fmt: skip


def _page(scope: Scope, query: ClaimsQuery) -> Page[ClaimBrief]:
    rows = case_queries.claims(
        scope, query.tab or "", query.kind or "", before=cursor_id(query.cursor), limit=query.limit + 1
    )  # fmt: skip
    shown = rows[: query.limit]
    more = str(shown[-1].id) if len(rows) > query.limit else None
    return Page[ClaimBrief](items=[ClaimBrief(**_brief(row)) for row in shown], next_cursor=more)


def _own(case: str) -> ClaimOut:
    return _out(case_queries.claim_view(case_queries.buyers(access.actor()), given_id(case)))


def _sellers(case: str) -> ClaimOut:
    return _out(case_queries.claim_view(case_queries.sellers(access.actor()), given_id(case)))


@api.post(
    "/orders/{number}/claims", permission=Permission.BUY, body=ClaimIn, answer=ClaimOut, status=201,
    required_key=True, summary="Open a claim",
    example={"line": "01a0b1c2-0000-7000-8000-000000000001", "kind": "short", "quantity": "1", "wish": "money",
             "amount": {"amount": 54500}, "note": "Не хватает одного мешка"},
)  # fmt: skip
def open_claim(number: str, body: ClaimIn) -> Answer:
    """Within two weeks after the delivery. 409 `claim_open`, `claim_decided`."""
    amount = body.amount.amount if body.amount else 0
    wanted = claims.Wanted(body.line, body.kind, body.quantity, body.wish, body.note, amount, tuple(body.photos))
    key = claims.open_claim(access.actor(), number, wanted)
    return Answer(_own(str(key)), 201, {"Location": f"{PREFIX}/claims/{key}"})


@api.get("/claims", permission=Permission.BUY, query=ClaimsQuery, answer=Page[ClaimBrief], summary="Own claims")
def index(query: ClaimsQuery) -> Page[ClaimBrief]:
    """Newest first."""
    return _page(case_queries.buyers(access.actor()), query)


@api.get("/claims/{case}", permission=Permission.BUY, answer=ClaimOut, summary="An own claim")
def show(case: str) -> ClaimOut:
    """With its history."""
    return _own(case)


@api.post("/claims/{case}/accept", permission=Permission.BUY, answer=ClaimOut, summary="Take the seller's offer")
def accept(case: str) -> ClaimOut:
    """409 `claim_state` when there is none."""
    claims.accept(access.actor(), given_id(case))
    return _own(case)


@api.post("/claims/{case}/escalate", permission=Permission.BUY, answer=ClaimOut, summary="Ask the operator to decide")
def escalate(case: str) -> ClaimOut:
    """After the seller has offered less or refused."""
    claims.escalate(access.actor(), given_id(case))
    return _own(case)


@api.post("/claims/{case}/withdraw", permission=Permission.BUY, answer=ClaimOut, summary="Take a claim back")
def withdraw(case: str) -> ClaimOut:
    """While it is open."""
    claims.withdraw(access.actor(), given_id(case))
    return _own(case)


@api.get(
    "/seller/claims", permission=Permission.SELLER_VIEW, query=ClaimsQuery, answer=Page[ClaimBrief],
    summary="Claims on the seller",
)  # fmt: skip
def seller_index(query: ClaimsQuery) -> Page[ClaimBrief]:
    """Newest first."""
    return _page(case_queries.sellers(access.actor()), query)


@api.get("/seller/claims/{case}", permission=Permission.SELLER_VIEW, answer=ClaimOut, summary="A claim on the seller")
def seller_show(case: str) -> ClaimOut:
    """With its history."""
    return _sellers(case)


@api.post(
    "/seller/claims/{case}/agree", permission=Permission.SELLER_MONEY, body=AnswerIn, answer=ClaimOut,
    required_key=True, summary="Give what the buyer wants", example={"answer": ""},
)  # fmt: skip
def agree(case: str, body: AnswerIn) -> ClaimOut:
    """Money goes back at once; where no money is wanted, `answer` says what will be done."""
    claims.agree(access.actor(), given_id(case), body.answer)
    return _sellers(case)


@api.post(
    "/seller/claims/{case}/offer", permission=Permission.SELLER_MONEY, body=OfferIn, answer=ClaimOut,
    summary="Offer a sum", example={"amount": {"amount": 20000}, "answer": "Скидка на повреждённую упаковку"},
)  # fmt: skip
def offer(case: str, body: OfferIn) -> ClaimOut:
    """The buyer takes it or asks the operator."""
    claims.offer(access.actor(), given_id(case), body.amount.amount, body.answer)
    return _sellers(case)


@api.post(
    "/seller/claims/{case}/refuse", permission=Permission.SELLER_ORDERS, body=AnswerIn, answer=ClaimOut,
    summary="Refuse a claim", example={"answer": "Принято без замечаний"},
)  # fmt: skip
def refuse(case: str, body: AnswerIn) -> ClaimOut:
    """`answer` is needed."""
    claims.refuse(access.actor(), given_id(case), body.answer)
    return _sellers(case)


@api.get(
    "/admin/claims", permission=Permission.ADMIN_MONEY, query=ClaimsQuery, answer=Page[ClaimBrief],
    summary="Claims of all sellers",
)  # fmt: skip
def admin_index(query: ClaimsQuery) -> Page[ClaimBrief]:
    """Newest first."""
    return _page(EVERYBODY, query)


@api.get("/admin/claims/{case}", permission=Permission.ADMIN_MONEY, answer=ClaimOut, summary="Any claim")
def admin_show(case: str) -> ClaimOut:
    """Both sides' words."""
    return _out(case_queries.claim_view(EVERYBODY, given_id(case)))


@api.post(
    "/admin/claims/{case}/settle", permission=Permission.ADMIN_MONEY, body=DecisionIn, answer=ClaimOut,
    required_key=True, summary="Decide a claim",
    example={"in_favour": "buyer", "amount": {"amount": 54500}, "decision": "На фотографии видно"},
)  # fmt: skip
def settle(case: str, body: DecisionIn) -> ClaimOut:
    """Only one that is before the operator; the last word."""
    claims.settle(access.actor(), given_id(case), body.in_favour, body.amount.amount, body.decision)
    return admin_show(case)
