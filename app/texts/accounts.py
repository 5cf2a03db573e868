"""What people read about accounts and organisations."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

UNLOADING = [
    ("self", _("We unload ourselves")),
    ("hands", _("By hand, by the driver's crew")),
    ("crane", _("By the truck's crane")),
    ("tail_lift", _("By a tail lift")),
]
KINDS = [("buyer", _("Builds and buys")), ("seller", _("Sells materials")), ("carrier", _("Carries"))]
ROLES = {
    "owner": _("owner"),
    "member": _("member"),
    "manager": _("manager"),
    "warehouse": _("warehouse keeper"),
    "accountant": _("accountant"),
    "dispatcher": _("dispatcher"),
    "courier": _("driver"),
}

ERRORS = {
    "wrong_credentials": _("The e-mail or the password is not right."),
    "invalid_token": _("The token is not good any more. Sign in again."),
    "device_id_required": _("Send the header X-Device-Id with a UUID of the device."),
    "email_taken": _("There is an account with this e-mail already."),
    "malformed_email": _("This does not look like an e-mail address."),
    "malformed_phone": _("This does not look like a phone number."),
    "common_password": _("This password is among the first a thief tries. Choose another."),
    "wrong_password": _("This is not the present password."),
    "reset_link_dead": _("The link has been used or is too old. Ask for a new one."),
    "wrong_inn": _("The INN has a wrong length or check digit."),
    "wrong_kpp": _("The KPP has nine characters, such as 770101001."),
    "kpp_needed": _("A company with a ten-digit INN has a KPP."),
    "wrong_ogrn": _("The OGRN has a wrong length or check digit."),
    "organisation_exists": _("A company with this INN and KPP is registered already."),
    "no_such_person": _("Nobody has an account with this e-mail."),
    "member_already": _("This person is a member already."),
    "inn_fixed": _("Another INN is another company: register it beside this one."),
    "last_owner": _("A company needs an owner: name another one first."),
    "decision_not_possible": _("This cannot be decided from the present state."),
    "cannot_block_self": _("You cannot block yourself."),
    "too_many_digits": _("At most 12 digits before the point and 6 after it."),
}
