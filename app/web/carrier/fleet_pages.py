"""What the three lists of the fleet share: a form page, its refusal, and the way back with a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, flash, request

from app.core.errors import Conflict, DomainError, Invalid, NotFound, Stale
from app.web.carrier.forms import Field, Filled, read, refused
from app.web.carrier.frame import office
from app.web.htmx import redirect_to, render_page


def form_page(
    title: Any, fields: Sequence[Field], filled: Filled, back: str, *, version: int | None = None, remove: str = "",
    status: int = 200, below: str = "", **context: Any,
) -> Response:  # fmt: skip
    """The form of one thing of the fleet. `below`: a template of what stands under it, with its `context`."""
    return render_page(
        "carrier/fleet_form.html", None, title=title, fields=fields, filled=filled, back=back, version=version,
        remove=remove, status=status, below=below, **context, **office(),
    )  # fmt: skip


def save(
    title: Any, fields: Sequence[Field], back: str, act: Callable[[dict[str, Any], int | None], Any], done: Any,
    *, version: int | None = None, remove: str = "", below: str = "", **context: Any,
) -> Response:  # fmt: skip
    """Read the form, do it, and go back; on a refusal show the form again with everything typed kept."""
    try:
        act(read(fields), posted_version())
    except NotFound:
        raise
    except (Invalid, Conflict, Stale) as error:
        return form_page(
            title, fields, refused(error), back, version=version, remove=remove, status=_status(error), below=below,
            **context,
        )  # fmt: skip
    flash(str(done), "ok")
    return redirect_to(back)


def posted_version() -> int | None:
    """The version the form was made from."""
    text = request.form.get("version", "")
    return int(text) if text.isdecimal() else None


def _status(error: DomainError) -> int:
    return 422 if isinstance(error, Invalid) else error.status
