"""Card payments: beginning one, and what the provider tells us."""

from __future__ import annotations

import uuid

from flask import request

from app import access
from app.api.kernel import Answer, Api
from app.api.schemas import MoneyOut, Schema, Utc, money
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.orders import card
from app.payments import cards, providers
from app.payments.providers import WebhookRefused
from app.web.buyer.paying import order_url

api = Api("payments", tag="Orders and money")
LARGEST = 64 * 1024


class VisitOut(Schema):
    """Where to send the buyer, and until when it can be paid there."""

    id: uuid.UUID
    redirect_url: str
    amount: MoneyOut
    expires_at: Utc


class HeardOut(Schema):
    """Whether the event was new and changed something."""

    changed: bool


@api.post(
    "/order-groups/{number}/payments", permission=Permission.BUY, answer=VisitOut, status=201, required_key=True,
    summary="Pay a purchase by card",
)  # fmt: skip
def begin(number: str) -> Answer:
    """Begins a visit to the page of the provider. 409 `payment_state`, `payment_too_late` or `cards_not_taken`."""
    reference = card.begin(access.actor(), number)
    visit = card.visit(access.actor(), number, reference, order_url(number))
    if visit is None:
        raise NotFound()
    url = providers.present().start(visit)
    return Answer(
        VisitOut(id=reference, redirect_url=url, amount=money(visit.amount), expires_at=visit.expires_at), 201
    )


@api.post(
    "/payments/webhooks/{provider}", permission=Permission.PUBLIC, answer=HeardOut, summary="What a card provider tells"
)
def webhook(provider: str) -> HeardOut:
    """For the provider only: signed with HMAC-SHA256 over `timestamp.body`, at most five minutes old, each event once.

    400 `webhook_signature`, `webhook_old` or `webhook_malformed`.
    """
    found = providers.named(provider)
    body = request.get_data()
    if len(body) > LARGEST:
        raise WebhookRefused("webhook_malformed")
    return HeardOut(changed=cards.hear(provider, found.verify(dict(request.headers), body)))
