"""A seller's offers: price and stock edited in the cells of the table, one offer, a new one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext

from app import access
from app.access import Guarded
from app.catalog import queries as catalog
from app.catalog import search
from app.catalog.queries import ProductCard
from app.core.errors import Conflict, DomainError, Invalid, NotFound, Stale
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal, to_api
from app.offers import counts, desk, queries, service
from app.offers.desk import DeskOffer
from app.offers.rules import Step
from app.texts import offers as words
from app.web.carrier.forms import Field, Filled, kopeks, read, refused
from app.web.filters import language
from app.web.htmx import is_part_request, redirect_to, render_page
from app.web.reading import key_of, sentence
from app.web.seller import frame, price_chart
from app.web.unit_texts import unit_label

pages = Guarded("seller_offers", __name__, url_prefix="/seller/offers")
LIST = "/seller/offers"
FIELDS = (
    Field("sku", lazy_gettext("SKU"), most=100),
    Field("price", lazy_gettext("Price"), "money", "₽"),
    Field(
        "ladder",
        lazy_gettext("Price ladder"),
        required=False,
        most=300,
        hint=lazy_gettext("From a quantity a lower price: 10 = 520; 50 = 499"),
    ),
    Field("lead_time_days", lazy_gettext("Days to make ready"), "number", required=False),
    Field(
        "pallet_units",
        lazy_gettext("Units of sale on a returnable pallet"),
        "quantity",
        required=False,
        hint=lazy_gettext("Empty when the goods come on none"),
    ),
    Field("pallet_deposit", lazy_gettext("Deposit for such a pallet"), "money", "₽", required=False),
    Field("active", lazy_gettext("On sale"), "check", required=False),
)


def _in_place(offer: str, act: Callable[[], object], shown: dict[str, Any]) -> Response:
    """Do a change in a cell, and answer with the row: saved, or with both values when somebody was faster."""
    error = ""
    try:
        act()
    except NotFound:
        raise
    except DomainError as refusal:
        error = sentence(refusal)
        shown |= {"present": refusal.context.get("present"), "wanted": refusal.context.get("wanted")}
    if not is_part_request():
        flash(error or _("Saved."), "bad" if error else "ok")
        return redirect_to(LIST)
    actor = access.actor()
    return render_page(
        "seller/_offer_row.html", "seller/_offer_row.html", status=422 if error else 200,
        offer=desk.offer(actor.seller_id, key_of(offer)), places=queries.warehouses_of(actor.seller_id), error=error,
        why=words.NOT_SOLD,
        saved="" if error else shown["cell"], **shown,
    )  # fmt: skip


@pages.post("/<offer>/price", permission=Permission.SELLER_OFFERS)
def set_price(offer: str) -> Response:
    """A new price, if nobody has changed the offer since it was shown."""
    version = request.form.get("version", "")

    def act() -> None:
        price = kopeks(request.form.get("price", ""), "/price")
        service.edit_offer(
            access.actor(), key_of(offer), {"price": price}, int(version) if version.isdecimal() else None
        )

    return _in_place(offer, act, {"cell": "price", "typed": request.form.get("price", "")})


@pages.post("/<offer>/stock/<warehouse>", permission=Permission.SELLER_STOCK)
def set_stock(offer: str, warehouse: str) -> Response:
    """What was counted in a warehouse, in units of sale."""

    def act() -> None:
        counts.recount(
            access.actor(), key_of(offer), key_of(warehouse), _quantity("on_hand"),
            _quantity("was") if request.form.get("was") else None, request.form.get("reason", "")[:200],
        )  # fmt: skip

    return _in_place(offer, act, {"cell": warehouse, "typed": request.form.get("on_hand", "")})


def _quantity(name: str) -> Decimal:
    try:
        return parse_decimal(request.form.get(name, ""))
    except NotANumber as error:
        raise Invalid.one(f"/{name}", error.code) from None


@pages.post("/<offer>/visibility", permission=Permission.SELLER_OFFERS)
def set_visibility(offer: str) -> Response:
    """Show or hide."""
    active = request.form.get("active") == "1"
    return _in_place(
        offer, lambda: service.edit_offer(access.actor(), key_of(offer), {"active": active}), {"cell": "visibility"}
    )


@pages.get("/<offer>", permission=Permission.SELLER_OFFERS)
def show(offer: str) -> Response:
    """One offer: its fields and what happened to it."""
    found = desk.offer(access.actor().seller_id, key_of(offer))
    return _offer_page(found, _filled(found))


def _filled(offer: DeskOffer) -> Filled:
    ladder = "; ".join(f"{to_api(s.from_quantity)} = {_roubles(s.price)}" for s in offer.ladder)
    return Filled(
        {
            "sku": offer.sku, "price": _roubles(offer.price), "ladder": ladder,
            "lead_time_days": str(offer.lead_time_days),
            "pallet_units": to_api(offer.pallet_units) if offer.pallet_units else "",
            "pallet_deposit": _roubles(offer.pallet_deposit) if offer.pallet_deposit else "",
            "active": "1" if offer.status == "active" else "",
        }
    )  # fmt: skip


def _roubles(price: int) -> str:
    return f"{price // 100},{price % 100:02d}" if price % 100 else str(price // 100)


def _offer_page(offer: DeskOffer, filled: Filled, status: int = 200) -> Response:
    actor = access.actor()
    return render_page(
        "seller/offer.html", None, title=offer.name(language()), fields=FIELDS, filled=filled, back=LIST,
        version=offer.version, remove="", offer=offer, history=desk.history(offer.id), status=status,
        prices=price_chart.of_offer(offer.id),
        places=queries.warehouses_of(actor.seller_id), why=words.NOT_SOLD, **frame.context(actor),
    )  # fmt: skip


@pages.post("/<offer>", permission=Permission.SELLER_OFFERS)
def change(offer: str) -> Response:
    """Save the fields; on a refusal everything typed is kept."""
    found = desk.offer(access.actor().seller_id, key_of(offer))
    version = request.form.get("version", "")
    try:
        service.edit_offer(access.actor(), found.public_id, _values(), int(version) if version.isdecimal() else None)
    except (Invalid, Conflict, Stale) as error:
        return _offer_page(found, refused(error), 422 if isinstance(error, Invalid) else error.status)
    flash(_("Saved."), "ok")
    return redirect_to(f"{LIST}/{offer}")


def _values() -> dict[str, Any]:
    """The posted fields as `service` takes them.

    Raises:
        Invalid: every field that cannot be read.
    """
    values = read(FIELDS)
    return values | {"ladder": _ladder(values["ladder"])}


def _ladder(text: str) -> tuple[Step, ...]:
    steps = []
    for part in filter(None, (p.strip() for p in text.split(";"))):
        start, equals, price = part.partition("=")
        if not equals:
            raise Invalid.one("/ladder", "ladder_form")
        try:
            steps.append(Step(parse_decimal(start), kopeks(price, "/ladder")))
        except NotANumber as error:
            raise Invalid.one("/ladder", error.code) from None
    return tuple(steps)


@pages.get("/new", permission=Permission.SELLER_OFFERS)
def new() -> Response:
    """First which product (by article, barcode or the address of its page), then the offer."""
    given = request.args.get("product", "").strip()[:200]
    card = _card(given)
    return redirect_to(f"{LIST}/new/{card.slug}") if card else _new_page(given, None, Filled())


@pages.get("/new/<slug>", permission=Permission.SELLER_OFFERS)
def new_of(slug: str) -> Response:
    """The form of an offer of this product."""
    card = catalog.product_by_slug(slug)
    return _new_page("", card, Filled({"active": "1", "unit": card.base_unit}))


def _card(text: str) -> ProductCard | None:
    try:
        return catalog.product_by_slug(text.rsplit("/", 1)[-1].partition("?")[0]) if text else None
    except NotFound:
        pass
    match = search.match(text)
    items = catalog.suggestions(match, 2) if match else []
    return catalog.product_by_slug(items[0].slug) if len(items) == 1 else None


def _new_page(given: str, card: ProductCard | None, filled: Filled, status: int = 200) -> Response:
    fields: tuple[Field, ...] = FIELDS
    if card is not None:
        sold = [(u.code, unit_label(u.code)) for u in card.units if u.is_sold]
        fields = (Field("unit", _("Unit of sale"), "choice", options=sold), *FIELDS)
    return render_page(
        "seller/offer_new.html", None, given=given, card=card, fields=fields, filled=filled, back=LIST, version=None,
        remove="", title=card.name(language()) if card else _("New offer"), status=status,
        **frame.context(access.actor()),
    )  # fmt: skip


@pages.post("/new/<slug>", permission=Permission.SELLER_OFFERS)
def add(slug: str) -> Response:
    """Put the product on sale."""
    card = catalog.product_by_slug(slug)
    try:
        values = _values()
        made = service.add_offer(
            access.actor(),
            service.NewOffer(
                card.public_id, values["sku"], request.form.get("unit", ""), values["price"], values["ladder"],
                lead_time_days=values["lead_time_days"], pallet_units=values["pallet_units"],
                pallet_deposit=values["pallet_deposit"], active=values["active"],
            ),
        )  # fmt: skip
    except Invalid as error:
        return _new_page("", card, refused(error), 422)
    flash(_("The offer is added. Say how much lies in your warehouses."), "ok")
    return redirect_to(f"{LIST}/{made}")
