"""Who may pass which door."""

from __future__ import annotations

import pytest

from app.core.errors import Forbidden, NotSignedIn
from app.core.ids import uuid7
from app.core.permissions import ANONYMOUS, GRANTS, Actor, Membership, Permission, Role, may, require


def seat(kind: str, role: str, organisation: int = 1) -> Membership:
    return Membership(organisation, uuid7(), f"{kind} {organisation}", kind, role)


def person(*seats: Membership, **more: object) -> Actor:
    return Actor(user_id=7, public_id=uuid7(), memberships=seats, **more)  # type: ignore[arg-type]  # any field


def test_every_permission_is_granted_to_somebody() -> None:
    assert set(GRANTS) == set(Permission)
    assert all(GRANTS.values())


def test_every_role_opens_some_door() -> None:
    only_names = {
        Role.BUYER_OWNER,
        Role.BUYER_APPROVER,
        Role.BUYER_MEMBER,
    }  # buyers' companies order as the person does
    assert {role for roles in GRANTS.values() for role in roles} | only_names == set(Role)


def test_only_the_operator_opens_the_operators_doors() -> None:
    for permission in Permission:
        if permission.startswith("admin."):
            assert GRANTS[permission] == {Role.ADMIN}
        elif permission not in (Permission.CATALOGUE_CHANGE, Permission.REFUND):  # sellers pass them too, on their own
            assert Role.ADMIN not in GRANTS[permission]


@pytest.mark.parametrize(("kind", "role", "found"), [
    ("seller", "owner", Role.SELLER_OWNER), ("seller", "manager", Role.SELLER_MANAGER),
    ("seller", "warehouse", Role.SELLER_WAREHOUSE), ("seller", "accountant", Role.SELLER_ACCOUNTANT),
    ("carrier", "owner", Role.CARRIER_OWNER), ("carrier", "dispatcher", Role.CARRIER_DISPATCHER),
    ("carrier", "courier", Role.COURIER), ("buyer", "owner", Role.BUYER_OWNER), ("buyer", "member", Role.BUYER_MEMBER),
])  # fmt: skip
def test_a_seat_gives_its_role_and_no_other(kind: str, role: str, found: Role) -> None:
    assert person(seat(kind, role)).roles == {Role.ANYONE, Role.USER, found}


def test_nobody_has_a_role_without_signing_in() -> None:
    assert ANONYMOUS.roles == {Role.ANYONE}
    assert Actor(is_admin=True, memberships=(seat("seller", "owner"),)).roles == {Role.ANYONE}


def test_one_person_may_hold_several_roles() -> None:
    many = person(seat("seller", "warehouse"), seat("carrier", "courier", 2), is_admin=True)
    assert many.roles == {Role.ANYONE, Role.USER, Role.ADMIN, Role.SELLER_WAREHOUSE, Role.COURIER}


def test_roles_are_those_of_the_company_worked_for_now() -> None:
    seats = (seat("seller", "owner", 1), seat("seller", "warehouse", 2))
    assert person(*seats).seller_id == 1
    chosen = person(*seats, current_seller_id=2)
    assert chosen.seller_id == 2
    assert Role.SELLER_OWNER not in chosen.roles
    assert not may(chosen, Permission.SELLER_OFFERS)
    assert person(*seats, current_seller_id=99).seller_id == 1  # a company that was left is no choice


def test_a_courier_is_no_dispatcher() -> None:
    driver = person(seat("carrier", "courier"))
    assert driver.carrier is None
    with pytest.raises(Forbidden):
        _ = driver.carrier_id
    with pytest.raises(Forbidden):
        require(driver, Permission.CARRIER_VIEW)
    require(driver, Permission.COURIER_ROUTE)


def test_scopes_of_a_stranger_are_refused() -> None:
    with pytest.raises(NotSignedIn):
        _ = ANONYMOUS.user
    with pytest.raises(Forbidden):
        _ = person().seller_id


@pytest.mark.parametrize("permission", Permission)
def test_a_closed_door_asks_to_sign_in_first_and_then_refuses(permission: Permission) -> None:
    if Role.ANYONE in GRANTS[permission]:
        require(ANONYMOUS, permission)
        return
    with pytest.raises(NotSignedIn):
        require(ANONYMOUS, permission)
    if Role.USER in GRANTS[permission]:
        require(person(), permission)
    else:
        with pytest.raises(Forbidden):
            require(person(), permission)
