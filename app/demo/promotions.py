"""Promotions of the demo market: one of a seller, one by a code, one for a first order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from app.core import clock
from app.core.permissions import Actor
from app.orders import promotions
from app.orders.promotions import PromotionData

LASTS = timedelta(days=90)


def make_promotions(operator: Actor, seller: Actor) -> None:
    """Make them as the operator and the seller would."""
    until = clock.today() + LASTS
    promotions.make(
        seller,
        PromotionData(
            "Сухие смеси дешевле на 5 %", "Dry mixes 5 % cheaper", percent=Decimal(5), scope="categories",
            categories=("dry_mixes",), valid_to=until,
        ),
        seller.seller_id,
    )  # fmt: skip
    promotions.make(
        operator,
        PromotionData(
            "Осенняя стройка: 10 % по коду", "Autumn building: 10 % by a code", percent=Decimal(10), cap=5_000_00,
            minimum=10_000_00, code="TUTUU10", operator_share=Decimal(50), limit_total=200, limit_per_buyer=1,
            valid_to=until,
        ),
    )  # fmt: skip
    promotions.make(
        operator,
        PromotionData(
            "500 ₽ на первый заказ", "₽500 off the first order", amount=500_00, minimum=5_000_00, first_order=True,
            operator_share=Decimal(100), is_stackable=True, valid_to=until,
        ),
    )  # fmt: skip
