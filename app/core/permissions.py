"""Who may use what. Every route names one `Permission`; a route without one cannot be registered.

A permission opens a door; which objects lie behind it is the scope of the query (own, organisation, assigned).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import Forbidden, NotSignedIn


class Role(StrEnum):
    """Roles a person holds at the same time."""

    ANYONE = "anyone"
    USER = "user"
    BUYER_OWNER = "buyer_owner"
    BUYER_APPROVER = "buyer_approver"
    BUYER_MEMBER = "buyer_member"
    SELLER_OWNER = "seller_owner"
    SELLER_MANAGER = "seller_manager"
    SELLER_WAREHOUSE = "seller_warehouse"
    SELLER_ACCOUNTANT = "seller_accountant"
    SELLER_SUSPENDED = "seller_suspended"  # owner or manager of a suspended seller: orders already placed go on
    CARRIER_OWNER = "carrier_owner"
    CARRIER_DISPATCHER = "carrier_dispatcher"
    COURIER = "courier"
    ADMIN = "admin"


class Permission(StrEnum):
    """The catalogue of doors. docs/permissions.md is generated from it."""

    PUBLIC = "public"
    INTERNAL = "internal"  # health and metrics: kept inside by the reverse proxy
    CART = "cart"  # anyone, on the own cart
    BUY = "buy"  # orders, sites, estimates of the signed-in person
    ACCOUNT = "account"  # own profile, devices, organisations
    CATALOGUE_CHANGE = "catalogue.change"  # the operator at once, a seller by a change that waits
    SELLER_VIEW = "seller.view"
    SELLER_ORDERS = "seller.orders"
    SELLER_PICK = "seller.pick"
    SELLER_OFFERS = "seller.offers"
    SELLER_STOCK = "seller.stock"
    SELLER_MONEY = "seller.money"
    SELLER_TEAM = "seller.team"
    CARRIER_VIEW = "carrier.view"
    CARRIER_PLAN = "carrier.plan"
    CARRIER_FLEET = "carrier.fleet"
    CARRIER_TEAM = "carrier.team"
    COURIER_ROUTE = "courier.route"
    REFUND = "refund"  # give money back: own orders of a seller, any of the operator
    ADMIN_MONEY = "admin.money"
    ADMIN_ORGANISATIONS = "admin.organisations"
    ADMIN_CATALOGUE = "admin.catalogue"
    ADMIN_USERS = "admin.users"
    ADMIN_JOBS = "admin.jobs"
    ADMIN_AUDIT = "admin.audit"


_SELLER_DESK = frozenset({Role.SELLER_OWNER, Role.SELLER_MANAGER})
_SELLER_ORDERS = _SELLER_DESK | {Role.SELLER_SUSPENDED}
_SELLERS = _SELLER_ORDERS | {Role.SELLER_WAREHOUSE, Role.SELLER_ACCOUNTANT}
_CARRIERS = frozenset({Role.CARRIER_OWNER, Role.CARRIER_DISPATCHER})
_ADMIN = frozenset({Role.ADMIN})
_ANYONE = frozenset({Role.ANYONE})
_USER = frozenset({Role.USER})

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.PUBLIC: _ANYONE,
    Permission.INTERNAL: _ANYONE,
    Permission.CART: _ANYONE,
    Permission.BUY: _USER,
    Permission.ACCOUNT: _USER,
    Permission.CATALOGUE_CHANGE: _SELLER_DESK | _ADMIN,
    Permission.SELLER_VIEW: _SELLERS,
    Permission.SELLER_ORDERS: _SELLER_ORDERS,
    Permission.SELLER_PICK: _SELLER_ORDERS | {Role.SELLER_WAREHOUSE},
    Permission.SELLER_OFFERS: _SELLER_DESK,
    Permission.SELLER_STOCK: _SELLER_DESK | {Role.SELLER_WAREHOUSE},
    Permission.SELLER_MONEY: frozenset({Role.SELLER_OWNER, Role.SELLER_ACCOUNTANT}),
    Permission.SELLER_TEAM: frozenset({Role.SELLER_OWNER}),
    Permission.CARRIER_VIEW: _CARRIERS,
    Permission.CARRIER_PLAN: _CARRIERS,
    Permission.CARRIER_FLEET: _CARRIERS,
    Permission.CARRIER_TEAM: frozenset({Role.CARRIER_OWNER}),
    Permission.COURIER_ROUTE: frozenset({Role.COURIER}),
    Permission.REFUND: frozenset({Role.SELLER_OWNER, Role.SELLER_ACCOUNTANT}) | _ADMIN,
    Permission.ADMIN_MONEY: _ADMIN,
    Permission.ADMIN_ORGANISATIONS: _ADMIN,
    Permission.ADMIN_CATALOGUE: _ADMIN,
    Permission.ADMIN_USERS: _ADMIN,
    Permission.ADMIN_JOBS: _ADMIN,
    Permission.ADMIN_AUDIT: _ADMIN,
}


@dataclass(frozen=True, slots=True)
class Membership:
    """A place in an organisation: kind is buyer, seller or carrier."""

    organisation_id: int
    organisation_public_id: uuid.UUID
    organisation_name: str
    kind: str
    role: str
    status: str = "approved"

    @property
    def is_seller(self) -> bool:
        return self.kind == "seller"

    @property
    def own_role(self) -> Role:
        """The role that this place gives."""
        if self.is_courier:
            return Role.COURIER
        if self.status == "suspended" and self.role in ("owner", "manager"):
            return Role.SELLER_SUSPENDED
        return Role(f"{self.kind}_{self.role}")

    @property
    def is_dispatcher(self) -> bool:
        return self.kind == "carrier" and self.role != "courier"

    @property
    def is_courier(self) -> bool:
        return self.kind == "carrier" and self.role == "courier"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts in this request: a snapshot, safe to keep after the session is closed."""

    user_id: int | None = None
    public_id: uuid.UUID | None = None
    name: str = ""
    email: str = ""
    locale: str = "ru"
    is_admin: bool = False
    memberships: tuple[Membership, ...] = ()
    current_seller_id: int | None = None
    current_carrier_id: int | None = None
    device_id: int | None = None
    session_id: int | None = None
    ip: str = ""
    request_id: str = ""

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None

    @property
    def seller(self) -> Membership | None:
        """The seller worked for now: the chosen one, else the first, those that may trade before suspended ones."""
        mine = sorted((m for m in self.memberships if m.is_seller), key=lambda m: m.status == "suspended")
        chosen = [m for m in mine if m.organisation_id == self.current_seller_id]
        return next(iter(chosen or mine), None)

    @property
    def carrier(self) -> Membership | None:
        """The carrier dispatched for now (a courier's membership does not count)."""
        mine = [m for m in self.memberships if m.is_dispatcher]
        chosen = [m for m in mine if m.organisation_id == self.current_carrier_id]
        return next(iter(chosen or mine), None)

    @property
    def courier(self) -> Membership | None:
        return next((m for m in self.memberships if m.is_courier), None)

    @property
    def is_courier(self) -> bool:
        return self.courier is not None

    @property
    def roles(self) -> frozenset[Role]:
        """All roles of this actor in the organisations worked for now."""
        if not self.is_signed_in:
            return frozenset({Role.ANYONE})
        roles = {Role.ANYONE, Role.USER}
        if self.is_admin:
            roles.add(Role.ADMIN)
        companies = (m for m in self.memberships if m.kind == "buyer")
        for place in (self.seller, self.carrier, self.courier, *companies):
            if place is not None:
                roles.add(place.own_role)
        return frozenset(roles)

    @property
    def user(self) -> int:
        """The user's id.

        Raises:
            NotSignedIn: nobody is signed in.
        """
        if self.user_id is None:
            raise NotSignedIn()
        return self.user_id

    @property
    def seller_id(self) -> int:
        """The scope of every seller query.

        Raises:
            Forbidden: the actor works for no seller.
        """
        place = self.seller
        if place is None:
            raise Forbidden()
        return place.organisation_id

    @property
    def carrier_id(self) -> int:
        """The scope of every carrier query.

        Raises:
            Forbidden: the actor dispatches for no carrier.
        """
        place = self.carrier
        if place is None:
            raise Forbidden()
        return place.organisation_id


ANONYMOUS = Actor()


def may(actor: Actor, permission: Permission) -> bool:
    """Whether the door is open to this actor."""
    return bool(GRANTS[permission] & actor.roles)


def opens_less(kind: str, role: str, own: str) -> bool:
    """Whether `role` in an organisation opens fewer doors than `own` there, and none that `own` does not open."""
    one, other = (
        {door for door, roles in GRANTS.items() if Membership(0, uuid.UUID(int=0), "", kind, name).own_role in roles}
        for name in (role, own)
    )
    return one < other


def require(actor: Actor, permission: Permission) -> None:
    """Let the actor through or refuse.

    Raises:
        NotSignedIn: signing in may help.
        Forbidden: it would not.
    """
    if may(actor, permission):
        return
    if not actor.is_signed_in:
        raise NotSignedIn()
    raise Forbidden()
