"""What people read about photographs and documents of products."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

DOCUMENT_KINDS = {
    "certificate": _("Certificate of conformity"),
    "declaration": _("Declaration of conformity"),
    "fire": _("Fire safety certificate"),
    "passport": _("Passport or data sheet"),
    "instruction": _("Instruction"),
}
DOCUMENT_STATES = {
    "waiting": (_("being prepared"), "", "clock"),
    "pending": (_("waits for the operator"), "warn", "clock"),
    "approved": (_("shown to buyers"), "ok", "check"),
    "declined": (_("declined"), "bad", "circle-x"),
    "refused": (_("not accepted"), "bad", "circle-alert"),
    "expired": (_("expired, not shown"), "bad", "calendar-clock"),
}
"""State -> words, tone and icon of its tag."""

ERRORS = {
    "upload_too_large": _("The file is larger than %(maximum)s MB."),
    "picture_kind": _("This is no JPEG, PNG or WebP. Save the picture as one of these and send it again."),
    "document_kind": _("This is no PDF, JPEG or PNG."),
    "document_broken": _("The PDF breaks off before its end. Save it again and send the new one."),
    "wrong_extension": _("The name says something else than the file holds: %(kind)s. Rename it and send it again."),
    "picture_broken": _("The picture is damaged or breaks off. Save it again and send the new one."),
    "picture_pixels": _("The picture has more than 40 megapixels. Make it smaller and send it again."),
    "picture_animated": _("The picture moves. Send a still one."),
    "picture_heavy": _("The picture takes too much memory or time to open. Save it as a smaller JPEG."),
    "picture_crop": _("The crop leaves the picture."),
    "crop_outside": _("The crop leaves the picture of %(width)s × %(height)s pixels."),
    "crop_small": _("The crop must be at least %(minimum)s pixels wide and high."),
    "picture_busy": _("This picture is being made. Try again in a few seconds."),
    "picture_shown": _("Buyers see this picture. Take it off the card first."),
    "unknown_picture": _("One of the pictures is no longer there. Look at the page again."),
    "too_many_pictures": _("%(maximum)s pictures lie here unused. Delete some first."),
    "too_many_shown": _("A card shows %(maximum)s pictures at most."),
    "card_documents_full": _("A card holds %(maximum)s documents of one company at most."),
    "already_expired": _("This day has passed: the document is no longer valid."),
    "day_ahead": _("This day is still to come."),
    "days_order": _("The last day is before the first."),
}
