"""What every form of pages shares: our errors shown beside the fields, the typed values kept."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm

from app import texts
from app.core.errors import DomainError, Invalid


class Form(FlaskForm):  # type: ignore[misc]  # FlaskForm is untyped
    """A form of the market. Fields are named like the service's fields, so refusals find their place."""

    def refuse(self, error: DomainError) -> None:
        """Put a service's refusal beside the fields it names, the rest on top of the form."""
        if not isinstance(error, Invalid):
            self.form_errors.append(texts.message(error))
            return
        for item in error.errors:
            name = item.pointer.rsplit("/", 1)[-1]
            text = texts.error_text(item.code, item.context)
            if name in self._fields:
                field = self._fields[name]
                field.errors = [*field.errors, text]
            else:
                self.form_errors.append(text)

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.errors)


def stripped(value: Any) -> Any:
    """WTForms filter: no spaces around what was typed."""
    return value.strip() if isinstance(value, str) else value
