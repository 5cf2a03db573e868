"""How an operation of the API is declared: body, query and answer are pydantic models, checked and documented.

api = Api("cart", tag="Orders and money")

@api.post("/cart/lines", permission=Permission.CART, body=NewLine, answer=CartOut, summary="...")
def add_line(body: NewLine) -> CartOut: ...
"""

from __future__ import annotations

import functools
import inspect
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Required, TypedDict, TypeVar, Unpack

from flask import Response, current_app, request
from pydantic import BaseModel, ValidationError

from app import access
from app.access import Guarded
from app.api import idempotency
from app.api.schemas import JobOut, JobState
from app.core import jobs
from app.core.db import session
from app.core.errors import DomainError, FieldError, Invalid, NotFound
from app.core.permissions import Permission

PREFIX = "/api/v1"
View = TypeVar("View", bound=Callable[..., Any])

_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "greater_than": "too_small",
    "greater_than_equal": "too_small",
    "less_than": "too_large",
    "less_than_equal": "too_large",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "too_short": "too_short",
    "too_long": "too_long",
    "literal_error": "unknown_option",
    "enum": "unknown_option",
    "string_pattern_mismatch": "malformed",
    "value_error": "malformed",
}
_BOUNDS = {"gt": "minimum", "ge": "minimum", "min_length": "minimum", "lt": "maximum", "le": "maximum",
           "max_length": "maximum"}  # fmt: skip


class Unreadable(DomainError):
    """The body is not JSON."""

    status = 400

    def __init__(self) -> None:
        super().__init__("http_400")


class WrongContentType(DomainError):
    """The body is not declared as JSON."""

    status = 415

    def __init__(self) -> None:
        super().__init__("http_415")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that needs its own status or headers."""

    body: BaseModel | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the OpenAPI document says of one call."""

    method: str
    path: str
    name: str
    tag: str
    permission: Permission
    summary: str
    description: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int
    example: dict[str, Any] | None
    requires_key: bool
    form: type[BaseModel] | None
    waiting: type[BaseModel] | None


class Declared(TypedDict, total=False):
    """What a declaration says besides method and path."""

    permission: Required[Permission]
    summary: Required[str]
    body: type[BaseModel]
    query: type[BaseModel]
    answer: type[BaseModel]
    #: of the answer; without it 200, or 204 when there is no `answer`
    status: int
    #: a body that a test sends
    example: dict[str, Any]
    #: refuse a request without Idempotency-Key
    required_key: bool
    #: the body is multipart: these fields, and a `file` that the view takes from request.files itself
    form: type[BaseModel]
    #: the answer, with 202, to somebody whose change waits for the operator
    waiting: type[BaseModel]


class Api(Guarded):
    """A blueprint of operations."""

    def __init__(self, name: str, *, tag: str) -> None:
        super().__init__(f"api_{name}", __name__)
        self.tag = tag
        self.operations: list[Operation] = []

    def call(self, method: str, path: str, **declared: Unpack[Declared]) -> Callable[[View], View]:
        """Declare an operation."""

        def declare(view: View) -> View:
            name = view.__name__
            status = declared.get("status", 200 if declared.get("answer") else 204)
            operation = Operation(
                method, path, f"{self.name}.{name}", self.tag, declared["permission"], declared["summary"],
                inspect.getdoc(view) or "", declared.get("body"), declared.get("query"), declared.get("answer"), status,
                declared.get("example"), declared.get("required_key", False), declared.get("form"),
                declared.get("waiting"),
            )  # fmt: skip
            self.operations.append(operation)
            self.add_url_rule(
                _flask_rule(path), name, _wrapped(operation, view), methods=[method], permission=operation.permission
            )
            return view

        return declare

    def get(self, path: str, **declared: Unpack[Declared]) -> Callable[[View], View]:  # type: ignore[override]  # replaces Flask's
        """Declare a GET; see `call`."""
        return self.call("GET", path, **declared)

    def post(self, path: str, **declared: Unpack[Declared]) -> Callable[[View], View]:  # type: ignore[override]  # replaces Flask's
        """Declare a POST; see `call`."""
        return self.call("POST", path, **declared)

    def put(self, path: str, **declared: Unpack[Declared]) -> Callable[[View], View]:  # type: ignore[override]  # replaces Flask's
        """Declare a PUT; see `call`."""
        return self.call("PUT", path, **declared)

    def patch(self, path: str, **declared: Unpack[Declared]) -> Callable[[View], View]:  # type: ignore[override]  # replaces Flask's
        """Declare a PATCH; see `call`."""
        return self.call("PATCH", path, **declared)

    def delete(self, path: str, **declared: Unpack[Declared]) -> Callable[[View], View]:  # type: ignore[override]  # replaces Flask's
        """Declare a DELETE; see `call`."""
        return self.call("DELETE", path, **declared)


def _flask_rule(path: str) -> str:
    """`/orders/{number}` -> `/orders/<number>`."""
    return path.replace("{", "<").replace("}", ">")


def _wrapped(operation: Operation, view: Callable[..., Any]) -> Callable[..., Response]:
    @functools.wraps(view)
    def run(**path: str) -> Response:
        arguments: dict[str, Any] = dict(path)
        if operation.query is not None:
            arguments["query"] = parse_query(operation.query)
        else:
            _refuse_query()
        if operation.body is not None:
            arguments["body"] = parse_body(operation.body)
        if operation.form is not None:
            arguments["form"] = parse_form(operation.form)
        if operation.method != "POST":
            return render(view(**arguments), operation.status)
        return idempotency.once(
            access.actor(), operation.requires_key, lambda: render(view(**arguments), operation.status)
        )

    return run


def _refuse_query() -> None:
    if request.args:
        raise Invalid([FieldError(f"/query/{name}", "unknown_field") for name in request.args])


def parse_body(model: type[BaseModel]) -> BaseModel:
    """The JSON body as a model.

    Raises:
        WrongContentType, Unreadable, Invalid: with a JSON pointer for every wrong field.
    """
    if not request.is_json:
        raise WrongContentType()
    raw = request.get_data()
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise refused(error) from None


def parse_query(model: type[BaseModel]) -> BaseModel:
    """The query string as a model; lists are repeated or comma-separated by the model's own validators."""
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise refused(error, prefix="/query") from None


def parse_form(model: type[BaseModel]) -> BaseModel:
    """The fields of a multipart body as a model; its file is left to the view.

    Raises:
        WrongContentType: the body is no multipart form.
        Invalid: with every wrong field.
    """
    if request.mimetype != "multipart/form-data":
        raise WrongContentType()
    try:
        return model.model_validate(request.form.to_dict())
    except ValidationError as error:
        raise refused(error) from None


def refused(error: ValidationError, prefix: str = "") -> DomainError:
    """Pydantic's findings as our field errors."""
    found = []
    for item in error.errors(include_url=False):
        if item["type"] == "json_invalid":
            return Unreadable()
        context = {_BOUNDS[k]: v for k, v in item.get("ctx", {}).items() if k in _BOUNDS}
        pointer = prefix + "".join(f"/{part}" for part in item["loc"])
        found.append(FieldError(pointer, _CODES.get(item["type"], "wrong_type"), context))
    return Invalid(found)


def render(value: Any, status: int) -> Response:
    """A view's value as a response."""
    if isinstance(value, Response):
        return value
    answer = value if isinstance(value, Answer) else Answer(value, status)
    if answer.body is None:
        response = current_app.response_class(status=answer.status if answer.status != 200 else 204)
    else:
        response = current_app.response_class(
            answer.body.model_dump_json(), status=answer.status, mimetype="application/json"
        )
    response.headers.extend(dict(answer.headers))
    return response


def accepted(job_id: uuid.UUID) -> Answer:
    """202 with the job and where to look for it."""
    session.info.pop("read_only", None)
    view = jobs.view(job_id, any_user=True)
    return Answer(JobOut(job=JobState.of(view)), 202, {"Location": f"{PREFIX}/jobs/{job_id}"})


def given_id(text: str) -> uuid.UUID:
    """A UUID of the path.

    Raises:
        NotFound: it is not one.
    """
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound() from None


def etag(version: int) -> dict[str, str]:
    """The ETag header of an editable resource."""
    return {"ETag": f'"{version}"'}


def expected_version() -> int | None:
    """The version in If-Match, or None when the client sent none."""
    text = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    return int(text) if text.isdecimal() else None
