"""The only module that reads or writes HX-* headers.

A page and its part share one address: htmx asks with `HX-Request` and gets the part, anybody else gets the page.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, make_response, render_template, request
from flask import redirect as _redirect
from htmx_flask import Htmx
from htmx_flask.requests import HtmxHeaders

if TYPE_CHECKING:
    from collections.abc import Mapping

STOP_POLLING = 286
"""htmx swaps this answer in and asks no more."""
ERROR_SUMMARY = "error-summary"
"""id of the error summary; app.js moves the focus there after a refused form."""


def init_htmx(app: Flask) -> None:
    """Let requests of `app` know htmx."""
    Htmx(app)


def _headers() -> HtmxHeaders:
    return HtmxHeaders(request.headers)


def is_part_request() -> bool:
    """Whether only a part of the page is asked for (and not the page anew after Back)."""
    headers = _headers()
    return bool(headers) and not headers.history_restore_request and not headers.boosted


def render_page(
    template: str,
    part_template: str | None = None,
    /,
    *,
    status: int = 200,
    **context: Any,
) -> Response:
    """The part when htmx asks for it, the whole page otherwise.

    Args:
        template: the page, which includes the part.
        part_template: template with one root element that has an id; None: the page has no part.
        status: 422 for a refused form, so that the page and the part say the same.
    """
    chosen = part_template if part_template is not None and is_part_request() else template
    return make_response(render_template(chosen, **context), status)


def redirect_to(url: str) -> Response:
    """Go to another page: HX-Redirect for htmx, 303 See Other otherwise."""
    if not is_part_request():
        return make_response(_redirect(url, code=303))
    response = make_response("", 204)
    response.headers["HX-Redirect"] = url
    return response


def add_trigger(response: Response, event: str, detail: Mapping[str, Any] | str | int | None = None) -> Response:
    """Raise `event` in the browser after the answer; `announce` reads its detail aloud, see app.js."""
    events: dict[str, Any] = json.loads(response.headers.get("HX-Trigger", "{}"))
    events[event] = detail
    response.headers["HX-Trigger"] = json.dumps(events)  # ASCII: a header carries nothing else
    return response


def announce(response: Response, text: str) -> Response:
    """Let screen readers say `text` after the swap."""
    return add_trigger(response, "announce", {"text": str(text)})


def live(html: str, *, done: bool) -> Response:
    """Answer of a polled part: 304 when nothing changed, 286 with the last state when there is nothing more to come.

    Args:
        html: the rendered part.
        done: the thing watched has reached its last state.
    """
    response = make_response(html)
    response.set_etag(hashlib.sha256(html.encode()).hexdigest()[:20])
    if done:
        if is_part_request():
            response.status_code = STOP_POLLING
        return response
    return make_response(response.make_conditional(request))


def render_live(template: str, part_template: str, /, *, done: bool, **context: Any) -> Response:
    """`render_page` for a page whose part polls: the part goes through `live`."""
    if is_part_request():
        return live(render_template(part_template, **context), done=done)
    return make_response(render_template(template, **context))
