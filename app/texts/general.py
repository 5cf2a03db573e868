"""Errors that any part of the market may answer with."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

UNKNOWN = _("This cannot be done.")

ERRORS = {
    "not_found": _("There is nothing at this address."),
    "not_signed_in": _("Please sign in."),
    "forbidden": _("Your role does not allow this."),
    "stale_version": _("Somebody has changed this meanwhile. Look at the present state and try again."),
    "too_many_requests": _("Too many attempts. Try again in %(retry_after)s seconds."),
    "unavailable": _("The service is busy or being repaired. Please try again in a few seconds."),
    "invalid_fields": _("Some fields are not right."),
    "form_expired": _(
        "The form has expired. Reload the page and send it again; what you typed is kept by the browser."
    ),
    "http_400": _("The request cannot be read."),
    "http_404": _("There is nothing at this address."),
    "http_405": _("This address does not accept such a request."),
    "http_413": _("The file or form is too large."),
    "internal_error": _("Something broke on our side. We have been told; please try again."),
    "http_415": _("This kind of content is not accepted here."),
    "request_in_progress": _("The same request is being worked on. Ask again in a moment."),
    "key_reused": _("This Idempotency-Key was used before with another body."),
    "required": _("Fill this in."),
    "not_a_number": _("A number is needed."),
    "not_a_whole_number": _("A whole number is needed."),
    "too_small": _("At least %(minimum)s."),
    "too_large": _("At most %(maximum)s."),
    "too_short": _("At least %(minimum)s characters."),
    "too_long": _("At most %(maximum)s characters."),
    "unknown_option": _("Choose one of the options."),
    "unknown_field": _("There is no such field."),
    "wrong_type": _("The value has the wrong type."),
    "malformed": _("The value is not in the expected form."),
}

TITLES = {
    400: _("Unreadable request"),
    401: _("Sign in first"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Wrong method"),
    409: _("Something has changed"),
    412: _("Not the present version"),
    413: _("Too large"),
    415: _("Wrong kind of content"),
    422: _("Invalid fields"),
    429: _("Too many requests"),
    500: _("Our fault"),
    503: _("Not available now"),
}
"""Short names of refusals, by status."""
