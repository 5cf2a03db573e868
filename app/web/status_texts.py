"""Words and tones of every status that people see; a status is never colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel.speaklater import LazyString  # type: ignore[import-untyped]  # the package ships no types


@dataclass(frozen=True, slots=True)
class Status:
    """How a status looks: its words, its tone (ok, warn, bad, blue or plain) and an icon."""

    label: LazyString | str
    tone: str = ""
    icon: str = ""


_ORDER: dict[str, Status] = {
    "placed": Status(_("waiting for the seller"), "warn", "clock"),
    "accepted": Status(_("accepted"), "blue", "check"),
    "completed": Status(_("completed"), "ok", "circle-check"),
    "rejected": Status(_("rejected by the seller"), "bad", "circle-x"),
    "expired": Status(_("seller did not answer"), "bad", "clock"),
    "cancelled": Status(_("cancelled"), "", "ban"),
}
_FULFILMENT: dict[str, Status] = {
    "planned": Status(_("planned"), "", "calendar"),
    "picking": Status(_("being picked"), "blue", "package"),
    "ready": Status(_("ready for loading"), "blue", "package-check"),
    "handed_over": Status(_("loaded"), "blue", "truck"),
    "in_transit": Status(_("on the way"), "blue", "truck"),
    "delivered": Status(_("delivered"), "ok", "circle-check"),
    "partially_delivered": Status(_("delivered in part"), "warn", "triangle-alert"),
    "failed": Status(_("not delivered"), "bad", "circle-alert"),
    "returning": Status(_("going back"), "warn", "undo-2"),
    "returned": Status(_("returned"), "", "undo-2"),
    "cancelled": Status(_("cancelled"), "", "ban"),
}
_PAYMENT: dict[str, Status] = {
    "none": Status(_("no payment needed"), "", "wallet"),
    "awaiting": Status(_("waiting for payment"), "warn", "clock"),
    "authorised": Status(_("payment held"), "blue", "wallet"),
    "paid": Status(_("paid"), "ok", "check"),
    "partially_refunded": Status(_("refunded in part"), "warn", "undo-2"),
    "refunded": Status(_("refunded"), "", "undo-2"),
    "voided": Status(_("payment cancelled"), "", "ban"),
    "overdue": Status(_("payment overdue"), "bad", "circle-alert"),
}
_REFUND: dict[str, Status] = {
    "requested": Status(_("waits for the operator"), "warn", "clock"),
    "approved": Status(_("approved"), "blue", "check"),
    "paid": Status(_("paid back"), "ok", "circle-check"),
    "declined": Status(_("declined"), "bad", "circle-x"),
}
_PAYOUT: dict[str, Status] = {
    "prepared": Status(_("on its way to the bank"), "blue", "clock"),
    "paid": Status(_("paid out"), "ok", "circle-check"),
    "failed": Status(_("came back"), "bad", "circle-alert"),
}
_STOP: dict[str, Status] = {
    "planned": Status(_("ahead"), "", "circle-dot"),
    "en_route": Status(_("on the way"), "blue", "truck"),
    "arrived": Status(_("on site"), "blue", "map-pin"),
    "unloading": Status(_("unloading"), "warn", "package"),
    "loading": Status(_("loading"), "warn", "package"),
    "done": Status(_("done"), "ok", "check"),
    "delivered": Status(_("handed over"), "ok", "check"),
    "partial": Status(_("handed over in part"), "warn", "triangle-alert"),
    "failed": Status(_("not handed over"), "bad", "circle-alert"),
    "skipped": Status(_("skipped"), "", "ban"),
}
_DELIVERY: dict[str, Status] = {
    "new": Status(_("to be planned"), "warn", "clock"),
    "pending": Status(_("to be planned"), "warn", "clock"),
    "waiting": Status(_("being picked"), "", "package"),
    "ready": Status(_("to be planned"), "warn", "clock"),
    "handed_over": Status(_("loaded"), "blue", "truck"),
    "unassigned": Status(_("no vehicle"), "bad", "circle-alert"),
    "planned": Status(_("in a route"), "blue", "route"),
    "assigned": Status(_("in a route"), "blue", "route"),
    "loaded": Status(_("loaded"), "blue", "truck"),
    **{
        code: _FULFILMENT[code]
        for code in (
            "in_transit",
            "delivered",
            "partially_delivered",
            "failed",
            "cancelled",
        )
    },
    "returning": _FULFILMENT["returning"],
    "returned": _FULFILMENT["returned"],
}
_PLAN: dict[str, Status] = {
    "draft": Status(_("draft"), "", "pencil"),
    "queued": Status(_("in the queue"), "", "clock"),
    "planning": Status(_("being calculated"), "blue", "refresh-cw"),
    "ready": Status(_("calculated"), "ok", "check"),
    "published": Status(_("published"), "ok", "send"),
    "superseded": Status(_("replaced by a newer one"), "", "history"),
    "failed": Status(_("not calculated"), "bad", "circle-alert"),
}
_JOB: dict[str, Status] = {
    "queued": Status(_("in the queue"), "", "clock"),
    "pending": Status(_("in the queue"), "", "clock"),
    "running": Status(_("running"), "blue", "refresh-cw"),
    "retry": Status(_("will be repeated"), "warn", "rotate-ccw"),
    "done": Status(_("done"), "ok", "check"),
    "failed": Status(_("failed"), "bad", "circle-alert"),
    "dead": Status(_("stopped after all attempts"), "bad", "circle-x"),
    "cancelled": Status(_("cancelled"), "", "ban"),
}
_OFFER: dict[str, Status] = {
    "draft": Status(_("draft"), "", "pencil"),
    "active": Status(_("on sale"), "ok", "check"),
    "paused": Status(_("hidden"), "", "eye"),
    "archived": Status(_("in the archive"), "", "history"),
    "out_of_stock": Status(_("sold out"), "bad", "circle-alert"),
    "low": Status(_("running out"), "warn", "triangle-alert"),
}
_ORGANISATION: dict[str, Status] = {
    "draft": Status(_("draft"), "", "pencil"),
    "submitted": Status(_("waiting for approval"), "warn", "clock"),
    "in_review": Status(_("being looked at"), "blue", "eye"),
    "returned": Status(_("returned to be mended"), "warn", "undo-2"),
    "pending": Status(_("waiting for approval"), "warn", "clock"),
    "approved": Status(_("approved"), "ok", "badge-check"),
    "active": Status(_("works"), "ok", "badge-check"),
    "suspended": Status(_("suspended"), "bad", "ban"),
    "rejected": Status(_("declined"), "bad", "circle-x"),
    "declined": Status(_("declined"), "bad", "circle-x"),
}
_IMPORT: dict[str, Status] = {
    "checking": Status(_("being checked"), "blue", "refresh-cw"),
    "columns": Status(_("columns are not clear"), "warn", "columns-3"),
    "checked": Status(_("waits for your word"), "warn", "clock"),
    "applying": Status(_("being written"), "blue", "refresh-cw"),
    "done": Status(_("written"), "ok", "check"),
    "failed": Status(_("refused"), "bad", "circle-alert"),
    "cancelled": Status(_("stopped"), "", "ban"),
}
_DOCUMENT: dict[str, Status] = {
    "pending": Status(_("waiting for the operator"), "warn", "clock"),
    "accepted": Status(_("accepted"), "ok", "check"),
    "refused": Status(_("refused"), "bad", "circle-x"),
}
_RETURN: dict[str, Status] = {
    "requested": Status(_("waits for the seller"), "warn", "clock"),
    "approved": Status(_("approved, to be sent"), "blue", "check"),
    "in_transit": Status(_("on the way back"), "blue", "truck"),
    "received": Status(_("counted"), "blue", "package-check"),
    "refunded": Status(_("paid back"), "ok", "circle-check"),
    "rejected": Status(_("declined"), "bad", "circle-x"),
    "cancelled": Status(_("called off"), "", "ban"),
}
_CLAIM: dict[str, Status] = {
    "opened": Status(_("waits for the seller"), "warn", "clock"),
    "offered": Status(_("less is offered"), "warn", "message-square"),
    "refused": Status(_("refused by the seller"), "bad", "circle-x"),
    "escalated": Status(_("before the operator"), "warn", "clock"),
    "agreed": Status(_("agreed"), "ok", "circle-check"),
    "settled": Status(_("decided by the operator"), "ok", "badge-check"),
    "withdrawn": Status(_("taken back"), "", "ban"),
}
_HAND_OVER: dict[str, Status] = {
    "offered": Status(_("waits for an answer"), "warn", "clock"),
    "accepted": Status(_("taken over"), "ok", "check"),
    "declined": Status(_("declined"), "bad", "circle-x"),
    "withdrawn": Status(_("taken back"), "", "ban"),
    "expired": Status(_("not answered in time"), "", "clock"),
}
KINDS: dict[str, dict[str, Status]] = {
    "hand_over": _HAND_OVER,
    "return": _RETURN,
    "claim": _CLAIM,
    "order": _ORDER,
    "fulfilment": _FULFILMENT,
    "payment": _PAYMENT,
    "payout": _PAYOUT,
    "refund": _REFUND,
    "stop": _STOP,
    "delivery": _DELIVERY,
    "plan": _PLAN,
    "job": _JOB,
    "import": _IMPORT,
    "offer": _OFFER,
    "organisation": _ORGANISATION,
    "document": _DOCUMENT,
}


def status_of(kind: str, code: str) -> Status:
    """How to show the status `code` of a `kind` (order, fulfilment, payment, stop, delivery, plan, job, ...).

    A code nobody has named yet is shown as it is, so that a page never fails for want of a word.
    """
    return KINDS.get(kind, {}).get(str(code)) or Status(str(code).replace("_", " "))
