"""The OpenAPI 3.1 document, made from the declared operations, and its self-hosted browser page."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, Response, current_app, jsonify, render_template
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.access import Guarded
from app.api.kernel import PREFIX, Operation
from app.api.schemas import Problem
from app.core.permissions import GRANTS, Permission, Role

docs = Guarded("api_docs", __name__)
_PROBLEMS = {400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503}


@docs.get(f"{PREFIX}/openapi.json", permission=Permission.PUBLIC)
def document() -> Response:
    """The OpenAPI document."""
    return jsonify(build(current_app))


@docs.get("/api/docs", permission=Permission.PUBLIC)
def page() -> str:
    """The operations for people: works without script, under the CSP."""
    return render_template("api_docs.html", document=build(current_app), groups=_by_tag(current_app))


def operations(app: Flask) -> list[Operation]:
    """All operations of the application, in the order they were declared."""
    found: list[Operation] = app.extensions["api_operations"]
    return found


def _by_tag(app: Flask) -> dict[str, list[Operation]]:
    groups: dict[str, list[Operation]] = {}
    for operation in operations(app):
        groups.setdefault(operation.tag, []).append(operation)
    return groups


def build(app: Flask) -> dict[str, Any]:
    """The document as a dictionary; made once per application."""
    if "openapi" not in app.extensions:
        app.extensions["openapi"] = _build(operations(app))
    built: dict[str, Any] = app.extensions["openapi"]
    return built


def _build(found: list[Operation]) -> dict[str, Any]:
    wanted: dict[tuple[type[BaseModel], str], None] = {(Problem, "serialization"): None}
    for op in found:
        for model, mode in ((op.body, "validation"), (op.answer, "serialization"), (op.waiting, "serialization")):
            if model is not None:
                wanted[(model, mode)] = None
    refs, definitions = models_json_schema(
        list(wanted),  # type: ignore[arg-type]  # the modes are these two literals
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for op in found:
        paths.setdefault(PREFIX + op.path, {})[op.method.lower()] = _operation(op, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tutuu Market API",
            "version": "1",
            "description": "Construction materials: estimate, basket, order, delivery. See docs/api.md.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(op: Operation, refs: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": op.name.removeprefix("api_").replace(".", "_"),
        "tags": [op.tag],
        "summary": op.summary,
        "description": op.description,
        "parameters": _parameters(op),
        "responses": _responses(op, refs),
    }
    if op.body is not None:
        content: dict[str, Any] = {"schema": refs[(op.body, "validation")]}
        if op.example is not None:
            content["example"] = op.example
        told["requestBody"] = {"required": True, "content": {"application/json": content}}
    if op.form is not None:
        told["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _form(op.form)}}}
    if Role.ANYONE not in GRANTS[op.permission]:
        told["security"] = [{"bearer": []}]
    return told


def _form(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a multipart body, and its file."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    fields = {"file": {"type": "string", "format": "binary"}} | schema.get("properties", {})
    return {"type": "object", "properties": fields, "required": ["file", *schema.get("required", [])]}


def _parameters(op: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", op.path)
    ]
    if op.query is not None:
        schema = op.query.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, shape in schema.get("properties", {}).items():
            found.append({"name": name, "in": "query", "required": name in schema.get("required", []), "schema": shape})
    if op.method == "POST":
        found.append({"name": "Idempotency-Key", "in": "header", "required": op.requires_key,
                      "schema": {"type": "string", "minLength": 1, "maxLength": 255}})  # fmt: skip
    return found


def _responses(op: Operation, refs: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": op.summary}
    if op.answer is not None:
        answer["content"] = {"application/json": {"schema": refs[(op.answer, "serialization")]}}
    found = {str(op.status): answer}
    if op.waiting is not None:
        content = {"application/json": {"schema": refs[(op.waiting, "serialization")]}}
        found["202"] = {"description": "It waits for the operator", "content": content}
    problem = _problem(refs)
    for status in sorted(_PROBLEMS):
        found[str(status)] = problem
    return found


def _problem(refs: Any) -> dict[str, Any]:
    schema = refs[(Problem, "serialization")]
    return {"description": "Refused; see `code`", "content": {"application/problem+json": {"schema": schema}}}
