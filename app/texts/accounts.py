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
    "approver": _("approver of purchases"),
    "member": _("member"),
    "manager": _("manager"),
    "warehouse": _("warehouse keeper"),
    "accountant": _("accountant"),
    "dispatcher": _("dispatcher"),
    "courier": _("driver"),
}

SECTIONS = {
    "data": _("Company data"),
    "bank": _("Bank details"),
    "documents": _("Documents"),
    "agreement": _("Agreement"),
}
DOCUMENT_KINDS = [
    ("charter", _("Charter")),
    ("registration", _("Certificate of registration (OGRN)")),
    ("tax_registration", _("Certificate of the tax service (INN)")),
    ("head", _("Appointment of the head")),
    ("power_of_attorney", _("Power of attorney")),
    ("other", _("Another document")),
]

ERRORS = {
    "onboarding_incomplete": _("Something is missing before the company can be sent."),
    "missing_ogrn": _("Enter the OGRN."),
    "missing_address": _("Enter the legal address."),
    "missing_bank": _("Enter the bank details."),
    "missing_charter": _("Upload the charter."),
    "missing_registration": _("Upload the certificate of registration."),
    "missing_agreement": _("Accept the agreement."),
    "company_in_review": _("The operator is looking at the company. Wait for the answer before you change it."),
    "wrong_bik": _("The BIK has nine digits."),
    "wrong_account": _("The account has 20 digits, and their key does not fit this BIK."),
    "wrong_correspondent_account": _("The correspondent account does not belong to this BIK."),
    "decided_already": _("This is decided already."),
    "documents_undecided": _("Accept or refuse every document first."),
    "wrong_file_type": _("This is not a PDF, JPEG or PNG file."),
    "document_expired": _("The document is not valid any more."),
    "document_accepted": _("An accepted document stays. Upload a newer one beside it."),
    "too_many_documents": _("A company keeps at most %(maximum)s documents. Remove some first."),
    "agreement_outdated": _("Another version of the agreement holds by now. Read it again."),
    "role_above_own": _("You cannot give or take a role that opens more than your own."),
    "invitation_dead": _("The invitation has been used, taken back or is too old. Ask for a new one."),
    "invitation_for_another": _("The invitation is for another e-mail. Sign in with that one."),
    "too_many_invitations": _("At most %(maximum)s invitations may be open. Take some back first."),
    "day_is_past": _("This day is over."),
    "day_too_far": _("At most %(maximum)s days ahead."),
    "ends_before_it_begins": _("The last day comes before the first."),
    "holiday_too_long": _("A holiday has at most %(maximum)s days."),
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
