"""Words of reviews, questions and lists."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

ERRORS = {
    "not_received": _("A review may be written by whoever was brought this product."),
    "own_goods": _("Your company sells this product: a review of it would be your own praise."),
    "already_reviewed": _("You have reviewed this product already; edit your review instead."),
    "too_many_lists": _("There may be at most %(maximum)s lists."),
    "list_full": _("A list holds at most %(maximum)s products."),
    "favourites_stay": _("The favourites cannot be renamed or deleted."),
}
