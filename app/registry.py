"""The one list: tables for Alembic, events and who listens, kinds of jobs and who does them, timers, blueprints."""

from __future__ import annotations

from app.accounts import company_models
from app.accounts import events as accounts_events
from app.accounts import models as accounts_models
from app.catalog import list_models as catalog_list_models
from app.catalog import media_models as catalog_media_models
from app.catalog import models as catalog_models
from app.core import events, timers
from app.core import models as core_models
from app.estimates import models as estimates_models
from app.feedback import models as feedback_models
from app.insights import models as insights_models
from app.logistics import courier_models as logistics_courier_models
from app.logistics import events as logistics_events
from app.logistics import fleet_models as logistics_fleet_models
from app.logistics import hand_overs as logistics_hand_overs
from app.logistics import models as logistics_models
from app.logistics import pay_models as logistics_pay_models
from app.logistics import plan_edit_models as logistics_plan_edit_models
from app.logistics import slot_models as logistics_slot_models
from app.logistics import tracking_models as logistics_tracking_models
from app.offers import import_models as offers_import_models
from app.offers import models as offers_models
from app.offers import return_models as offers_return_models
from app.offers import selling
from app.orders import approvals as orders_approvals
from app.orders import carrier_bill_models as orders_carrier_bill_models
from app.orders import checkout as orders_checkout
from app.orders import claims as orders_claims
from app.orders import company_models as orders_company_models
from app.orders import events as orders_events
from app.orders import models as orders_models
from app.orders import pallet_models as orders_pallet_models
from app.orders import paper_models as orders_paper_models
from app.orders import paying as orders_paying
from app.orders import promotion_models as orders_promotion_models
from app.orders import proposal_models as orders_proposal_models
from app.orders import proposals as orders_proposals
from app.orders import quotes as orders_quotes
from app.orders import return_desk as orders_return_desk
from app.orders import return_models as orders_return_models
from app.orders import service as orders_service
from app.payments import bank_models as payments_bank_models
from app.payments import events as payments_events
from app.payments import models as payments_models

MODELS = (
    core_models,
    accounts_models,
    company_models,
    catalog_models,
    catalog_list_models,
    catalog_media_models,
    offers_models,
    offers_import_models,
    offers_return_models,
    payments_models,
    payments_bank_models,
    logistics_models,
    logistics_fleet_models,
    logistics_slot_models,
    logistics_plan_edit_models,
    logistics_courier_models,
    logistics_tracking_models,
    logistics_pay_models,
    orders_models,
    orders_carrier_bill_models,
    orders_paper_models,
    orders_company_models,
    orders_proposal_models,
    orders_pallet_models,
    orders_return_models,
    orders_promotion_models,
    estimates_models,
    feedback_models,
    insights_models,
)

JOB_HANDLERS: dict[str, str] = {
    "mail.send": "workers.mail:send",
    "housekeeping.daily": "workers.housekeeping:daily",
    "organisations.approved": "workers.organisations:approved",
    "organisations.suspended": "workers.organisations:suspended",
    "organisations.agreed": "workers.organisations:agreed",
    "company.tell_state": "workers.organisations:tell_state",
    "company.tell_bank": "workers.organisations:tell_bank",
    "imports.run": "workers.imports:run",
    "imports.fetch": "workers.imports:fetch_feed",
    "estimate.price": "workers.estimates:price",
    "payments.pay_out": "workers.payments:pay_out",
    "offers.bulk": "workers.offers:change_many",
    "route.plan": "workers.routing:plan",
    "eta.sample": "workers.tracking:sample",
    "search.rebuild": "workers.search:rebuild",
    "pictures.make": "workers.pictures:make",
    "documents.make": "workers.pictures:make_document",
    "media.forget": "workers.pictures:forget",
    "evidence.make": "workers.evidence:make",
    "proof.make": "workers.evidence:make_proof",
    "catalog.attribute": "workers.catalog:change_attribute",
    "logistics.vehicle_forbidden": "workers.logistics:vehicle_forbidden",
    "orders.delivery_handed_over": "workers.orders:delivery_handed_over",
    "orders.delivery_on_the_way": "workers.orders:delivery_on_the_way",
    "orders.delivery_completed": "workers.orders:delivery_completed",
    "cards.ask": "workers.cards:ask",
    "cards.give_back": "workers.cards:give_back",
    "cards.refund_agreed": "workers.cards:refund_agreed",
    "orders.payment_paid": "workers.orders:payment_paid",
    "orders.order_accepted": "workers.orders:tell_buyer",
    "orders.order_rejected": "workers.orders:tell_buyer",
    "orders.order_expired": "workers.orders:tell_buyer",
    "orders.order_completed": "workers.orders:tell_buyer",
}
"""Kind of job -> `module:function` that takes a RunningJob. Modules are imported in workers only."""

SUBSCRIPTIONS: tuple[tuple[type[events.Event], str], ...] = (
    (accounts_events.OrganisationApproved, "organisations.approved"),
    (accounts_events.OrganisationSuspended, "organisations.suspended"),
    (accounts_events.AgreementAccepted, "organisations.agreed"),
    (accounts_events.OrganisationReturned, "company.tell_state"),
    (accounts_events.OrganisationApproved, "company.tell_state"),
    (accounts_events.OrganisationSuspended, "company.tell_state"),
    (accounts_events.BankChangeAsked, "company.tell_bank"),
    (logistics_events.VehicleForbidden, "logistics.vehicle_forbidden"),
    (logistics_events.DeliveryHandedOver, "orders.delivery_handed_over"),
    (logistics_events.DeliveryOnTheWay, "orders.delivery_on_the_way"),
    (logistics_events.DeliveryCompleted, "orders.delivery_completed"),
    (payments_events.PaymentPaid, "orders.payment_paid"),
    (payments_events.RefundApproved, "cards.refund_agreed"),
    (orders_events.OrderAccepted, "orders.order_accepted"),
    (orders_events.OrderRejected, "orders.order_rejected"),
    (orders_events.OrderExpired, "orders.order_expired"),
    (orders_events.OrderCompleted, "orders.order_completed"),
)
"""(event, kind of job) pairs."""

TIMERS: tuple[tuple[str, str, timers.Handler], ...] = (
    ("approval", "expire", orders_approvals.expire),
    ("cart", "let_go", orders_checkout.let_go),
    ("claim", "due", orders_claims.due),
    ("hand_over", "expire", logistics_hand_overs.expire),
    ("order", "expire", orders_service.expire),
    ("order_group", "payment_reminder", orders_paying.remind),
    ("order_group", "payment_overdue", orders_paying.overdue),
    ("order_group", "payment_cancel", orders_paying.cancel_unpaid),
    ("order_group", "payment_deadline", orders_paying.card_deadline),
    ("proposal", "expire", orders_proposals.expire),
    ("quote", "expire", orders_quotes.expire),
    ("return", "due", orders_return_desk.due),
    ("seller", "holiday_begins", selling.settle),
    ("seller", "holiday_ends", selling.settle),
)
"""(entity, transition, command) triples."""

PAGE_BLUEPRINTS: tuple[str, ...] = (
    "app.web.buyer.cart:pages",
    "app.web.buyer.checkout:pages",
    "app.web.buyer.delivery_choice:pages",
    "app.web.buyer.trips:pages",
    "app.web.buyer.orders:pages",
    "app.web.buyer.paying:pages",
    "app.web.buyer.approvals:pages",
    "app.web.buyer.quick:pages",
    "app.web.buyer.quotes:pages",
    "app.web.buyer.cases:pages",
    "app.web.seller.cases:pages",
    "app.web.admin.cases:pages",
    "app.web.evidence:pages",
    "app.web.seller.quotes:pages",
    "app.web.seller.dashboard:pages",
    "app.web.seller.orders:pages",
    "app.web.seller.trucks:pages",
    "app.web.seller.proposals:pages",
    "app.web.buyer.home:pages",
    "app.web.buyer.catalog:pages",
    "app.web.buyer.product:pages",
    "app.web.buyer.feedback:pages",
    "app.web.buyer.compare:pages",
    "app.web.buyer.lists:pages",
    "app.web.seller.feedback:pages",
    "app.web.admin.feedback:pages",
    "app.web.buyer.site:pages",
    "app.web.admin.synonyms:pages",
    "app.web.buyer.estimates:pages",
    "app.web.seller.offer_table:pages",
    "app.web.seller.offers:pages",
    "app.web.seller.cards:pages",
    "app.web.seller.changes:pages",
    "app.web.seller.stock:pages",
    "app.web.seller.warehouses:pages",
    "app.web.seller.warehouse_carriers:pages",
    "app.web.seller.holiday:pages",
    "app.web.seller.money:pages",
    "app.web.admin.money:pages",
    "app.web.admin.commission:pages",
    "app.web.admin.promotions:pages",
    "app.web.seller.promotions:pages",
    "app.web.buyer.refunds:pages",
    "app.web.seller.imports:pages",
    "app.web.seller.feeds:pages",
    "app.web.photos:pages",
    "app.web.seller.product_media:pages",
    "app.web.admin.product_media:pages",
    "app.web.account.auth:pages",
    "app.web.account.profile:pages",
    "app.web.account.organisations:pages",
    "app.web.account.onboarding:pages",
    "app.web.account.team:pages",
    "app.web.admin.companies:pages",
    "app.web.admin.operations:pages",
    "app.web.admin.categories:pages",
    "app.web.admin.changes:pages",
    "app.web.admin.products:pages",
    "app.web.admin.statements:pages",
    "app.web.carrier:pages",
    "app.web.courier:pages",
    "app.web.tracking:pages",
    "app.web.map_data:pages",
    "app.web.proof:pages",
    "app.web.carrying_papers:pages",
    "app.web.carrier_money:pages",
)
"""`module:name` of each blueprint of pages, all `app.access.Guarded`."""

API_BLUEPRINTS: tuple[str, ...] = (
    "app.api.cart:api",
    "app.api.checkout:api",
    "app.api.trips:api",
    "app.api.orders:api",
    "app.api.payments:api",
    "app.api.approvals:api",
    "app.api.quotes:api",
    "app.api.proposals:api",
    "app.api.returns:api",
    "app.api.claims:api",
    "app.api.seller_orders:api",
    "app.api.money:api",
    "app.api.promotions:api",
    "app.api.accounts:api",
    "app.api.companies:api",
    "app.api.team:api",
    "app.api.catalog:api",
    "app.api.suggest:api",
    "app.api.feedback:api",
    "app.api.lists:api",
    "app.api.catalog_admin:api",
    "app.api.card_media:api",
    "app.api.products:api",
    "app.api.synonyms:api",
    "app.api.estimates:api",
    "app.api.jobs:api",
    "app.api.seller_catalog:api",
    "app.api.seller_imports:api",
    "app.api.carrier:api",
    "app.api.carrier_plans:api",
    "app.api.plan_changes:api",
    "app.api.carrier_slots:api",
    "app.api.seller_carriers:api",
    "app.api.carrier_calendar:api",
    "app.api.carrier_tariffs:api",
    "app.api.carrier_deliveries:api",
    "app.api.courier:api",
    "app.api.tracking:api",
    "app.api.carrying_papers:api",
    "app.api.carrier_money:api",
)
"""`module:name` of each blueprint of the API, registered under /api/v1."""


def wire() -> None:
    """Tell the kernel who listens to what; safe to call for every application of a process."""
    for event, kind in SUBSCRIPTIONS:
        events.subscribe(event, kind)
    for entity, transition, handler in TIMERS:
        timers.handle(entity, transition, handler)
