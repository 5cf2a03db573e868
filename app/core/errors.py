"""One family of errors for every refusal. The edge turns it into a page, a form part or problem+json.

The text a person reads is looked up by `code` in `app/texts` and translated there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class DomainError(Exception):
    """A command or query is refused for a reason the caller can act on.

    Args:
        code: stable snake_case name, part of the API contract.
        context: values for the text of the message (and for clients).
    """

    status = 422

    def __init__(self, code: str, **context: Any) -> None:
        super().__init__(code)
        self.code = code
        self.context = context

    def __str__(self) -> str:
        return f"{self.code} {self.context}" if self.context else self.code


class NotFound(DomainError):
    """Absent, or belongs to somebody else: both answer with the same bytes."""

    status = 404

    def __init__(self) -> None:
        super().__init__("not_found")


class NotSignedIn(DomainError):
    """No session or token where one is needed."""

    status = 401

    def __init__(self, code: str = "not_signed_in") -> None:
        super().__init__(code)


class Forbidden(DomainError):
    """Signed in, but the role does not allow it."""

    status = 403

    def __init__(self, code: str = "forbidden", **context: Any) -> None:
        super().__init__(code, **context)


class Conflict(DomainError):
    """The state or the stock has moved; `context` carries what is true now."""

    status = 409


class Stale(DomainError):
    """The version in If-Match or in the form is not the present one."""

    status = 412

    def __init__(self, **context: Any) -> None:
        super().__init__("stale_version", **context)


class TooMany(DomainError):
    """A rate limit; `retry_after` in seconds."""

    status = 429

    def __init__(self, retry_after: int, code: str = "too_many_requests") -> None:
        super().__init__(code, retry_after=retry_after)


class Unavailable(DomainError):
    """A server behind us is down or slow; worth trying again soon."""

    status = 503

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__("unavailable", retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: JSON pointer (`/lines/0/quantity`; a form uses the last part), code and context."""

    pointer: str
    code: str
    context: dict[str, Any] = field(default_factory=dict)


class Invalid(DomainError):
    """Some fields are wrong; all of them are named at once."""

    status = 422

    def __init__(self, errors: list[FieldError], code: str = "invalid_fields") -> None:
        super().__init__(code)
        self.errors = errors

    @classmethod
    def one(cls, pointer: str, code: str, **context: Any) -> Invalid:
        """An error in a single field."""
        return cls([FieldError(pointer, code, context)])
