"""Commands on building sites."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.accounts import queries
from app.accounts.models import Site
from app.accounts.requisites import phone_normal
from app.core.db import changed, session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor

FIELDS = (
    "title", "address", "lat", "lon", "access", "max_vehicle_kg", "max_height_mm", "floor", "lift", "unloading",
    "contact_name", "contact_phone",
)  # fmt: skip
UNLOADING = ("self", "hands", "crane", "tail_lift")
_LENGTHS = {"title": 100, "address": 300, "access": 500, "contact_name": 100}


@unit_of_work
def add(actor: Actor, given: Mapping[str, Any], organisation: uuid.UUID | None = None) -> Site:
    """Keep a new site; `given` holds values of FIELDS, title, address, lat and lon at least.

    Args:
        organisation: the buying company whose members share the site, owned by the actor; None: a private site.

    Raises:
        Invalid: with every wrong field.
    """
    company = _shared_by(actor, organisation) if organisation is not None else None
    site = Site(user_id=actor.user, organisation_id=company, **_checked(given, partial=False))
    session.add(site)
    changed(queries.site_kept_as(actor.user))
    session.flush()
    session.refresh(site)
    return site


def _shared_by(actor: Actor, organisation: uuid.UUID) -> int:
    found = [row for row in queries.organisations(actor.user) if row.public_id == organisation]
    if not found or found[0].kind != "buyer" or found[0].role != "owner":
        raise Invalid.one("/organisation", "unknown_option")
    return found[0].id


@unit_of_work
def edit(actor: Actor, public_id: uuid.UUID, given: Mapping[str, Any], version: int | None = None) -> Site:
    """Change fields of an own site; orders already placed keep their copy.

    Raises:
        NotFound, Invalid, Stale.
    """
    site = queries.managed_site(actor.user, public_id)
    if version is not None and version != site.version:
        raise Stale(version=site.version)
    for key, value in _checked(given, partial=True).items():
        setattr(site, key, value)
    site.version += 1
    changed(queries.site_kept_as(actor.user))
    return site


@unit_of_work
def choose(actor: Actor, public_id: uuid.UUID | None) -> None:
    """Make an own site the one that prices in lists are delivered to; None: none is.

    Raises:
        NotFound.
    """
    chosen = queries.site(actor.user, public_id) if public_id is not None else None
    changed(queries.site_kept_as(actor.user))
    session.execute(sa.update(Site).where(Site.user_id == actor.user, Site.is_chosen).values(is_chosen=False))
    if chosen is not None and chosen.organisation_id is not None:
        raise NotFound()
    if chosen is not None:
        session.execute(sa.update(Site).where(Site.id == chosen.id).values(is_chosen=True))


@unit_of_work
def remove(actor: Actor, public_id: uuid.UUID) -> None:
    """Hide an own site; nothing that refers to it is lost.

    Raises:
        NotFound.
    """
    site = queries.managed_site(actor.user, public_id)
    site.is_deleted, site.is_chosen = True, False
    changed(queries.site_kept_as(actor.user))


def _checked(given: Mapping[str, Any], *, partial: bool) -> dict[str, Any]:
    values = {key: given[key] for key in FIELDS if key in given and given[key] is not None}
    errors = [] if partial else [
        FieldError(f"/{key}", "required") for key in ("title", "address", "lat", "lon") if key not in values
    ]  # fmt: skip
    for key, longest in _LENGTHS.items():
        if key in values:
            values[key] = str(values[key]).strip()
            if len(values[key]) > longest:
                errors.append(FieldError(f"/{key}", "too_long", {"maximum": longest}))
            elif not values[key] and key in ("title", "address"):
                errors.append(FieldError(f"/{key}", "required"))
    for key, low, high in (("lat", -90, 90), ("lon", -180, 180), ("floor", -5, 200)):
        if key in values and not low <= values[key] <= high:
            code = "too_small" if values[key] < low else "too_large"
            errors.append(FieldError(f"/{key}", code, {"minimum": low, "maximum": high}))
    for key in ("max_vehicle_kg", "max_height_mm"):
        if key in values and not 0 < values[key] <= 100_000:
            errors.append(FieldError(f"/{key}", "too_small", {"minimum": 1}))
    if values.get("unloading", "self") not in UNLOADING:
        errors.append(FieldError("/unloading", "unknown_option"))
    if values.get("contact_phone"):
        phone = phone_normal(str(values["contact_phone"]))
        if phone is None:
            errors.append(FieldError("/contact_phone", "malformed_phone"))
        values["contact_phone"] = phone or ""
    if errors:
        raise Invalid(errors)
    return values
