"""What people read about changes of cards, merging of products, and the editor of categories and attributes."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

ERRORS = {
    "nothing_changed": _("Nothing differs from the card."),
    "nothing_left": _("Nothing is left of this change: the card says it already. Decline it or send it back."),
    "card_changed": _("The card was changed meanwhile. Look at it again."),
    "conflict_unresolved": _("The card says something else by now. Choose which value stays."),
    "not_approved": _("Only an approved change of a card can be taken back."),
    "already_reverted": _("This change was taken back already."),
    "base_unit_stays": _("The base unit %(unit)s stays, and one of it is 1/1."),
    "unit_in_use": _("Somebody sells in a unit that would go."),
    "not_a_range": _("Write a range as two numbers: 5-50."),
}
WAITS = {
    "category": _("moves to another section"),
    "brand": _("another brand"),
    "hidden": _("hides or shows the card"),
    "mass_kg": _("mass changes by more than 30 %"),
    "volume_m3": _("volume changes by more than 30 %"),
    "units": _("units or factors"),
    "barcode": _("barcode"),
    "images": _("photographs"),
}
"""Why a change waits for a person even when its seller is trusted."""
