"""What people read about changes of cards, merging of products, and the editor of categories and attributes."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

ERRORS = {
    "nothing_changed": _("Nothing differs from the card."),
    "nothing_left": _("Nothing is left of this change: the card says it already. Decline it or send it back."),
    "change_replaced": _("The seller has sent something else meanwhile. Look at it again."),
    "card_changed": _("The card was changed meanwhile. Look at it again."),
    "conflict_unresolved": _("The card says something else by now. Choose which value stays."),
    "not_approved": _("Only an approved change of a card can be taken back."),
    "already_reverted": _("This change was taken back already."),
    "base_unit_stays": _("The base unit %(unit)s stays, and one of it is 1/1."),
    "unit_in_use": _("Somebody sells in a unit that would go."),
    "merge_with_itself": _("Choose two different products."),
    "merge_base_differs": _(
        "Stock of one is counted in %(unit)s, of the other in %(other)s, and one is not exactly one of the other."
    ),
    "merge_unit_differs": _("The unit %(unit)s holds another quantity on the other card, and somebody sells in it."),
    "merge_step_differs": _(
        "Step or least quantity of %(unit)s differ, and somebody sells in it. Make them equal before merging."
    ),
    "parent_holds_products": _("This section holds products itself; nothing can stand under it."),
    "parent_is_below": _("A section cannot stand under itself."),
    "not_a_leaf": _("Only a section with nothing under it has properties."),
    "key_taken": _("The section has a property with this key already."),
    "values_do_not_fit": _("%(count)s values cannot be of this kind: %(values)s."),
    "assembly_depends": _("Estimates look for goods by it (%(count)s assemblies: %(names)s)."),
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

LABELS = {
    "category": _("Section"),
    "name_ru": _("Name in Russian"),
    "name_en": _("Name in English"),
    "brand": _("Brand"),
    "article": _("Maker's article"),
    "description_ru": _("Description in Russian"),
    "description_en": _("Description in English"),
    "mass_kg": _("Mass of a base unit"),
    "volume_m3": _("Volume of a base unit"),
    "length_mm": _("Longest side"),
    "hidden": _("Hidden"),
    "units": _("Units"),
    "images": _("Photographs"),
    "base_unit": _("Base unit"),
    "sku": _("SKU"),
    "price": _("Price"),
    "section": _("Section, in the seller's words"),
    "note": _("Note to the seller"),
    "decision": _("Decision"),
    "comment": _("Note to the operator"),
    "choices": _("Choice"),
}
"""What a card and a change consist of."""

STATES = {
    "pending": _("Waiting"),
    "revision_requested": _("Sent back"),
    "approved": _("Approved"),
    "declined": _("Declined"),
    "withdrawn": _("Withdrawn"),
}

WHY_ALIKE = {"barcode": _("same barcode"), "article": _("same brand and article"), "name": _("like name")}

TAXONOMY = {
    "slug": _("Address"),
    "parent": _("Stands under"),
    "name_ru": _("Name in Russian"),
    "name_en": _("Name in English"),
    "position": _("Place in the list"),
    "drawing": _("Drawing"),
    "synonyms": _("Also found by"),
    "key": _("Key"),
    "kind": _("Kind of value"),
    "unit": _("Unit"),
    "is_facet": _("Filters lists"),
    "values": _("Values"),
    "into": _("Write as"),
}
KINDS = {
    "text": _("text"),
    "number": _("number"),
    "enum": _("one of several"),
    "range": _("range"),
    "bool": _("yes or no"),
}
WISHES = {
    "category.add": _("Open a section"),
    "category.edit": _("Change a section"),
    "category.remove": _("Take a section away"),
    "attribute.add": _("Add a property"),
    "attribute.edit": _("Change a property"),
    "attribute.merge": _("Merge values"),
    "attribute.remove": _("Take a property away"),
}

FACTS = {"description": _("description"), "mass": _("mass"), "volume": _("volume"), "picture": _("photograph")}
"""What every card should say."""
