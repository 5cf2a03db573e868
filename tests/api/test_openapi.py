"""The OpenAPI document is one that tools can read, and its examples are bodies the calls accept."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api import openapi
from app.core.permissions import GRANTS, Role


def document(app: Flask) -> dict[str, Any]:
    with app.app_context():
        return dict(json.loads(json.dumps(openapi.build(app))))


def test_the_document_is_valid_openapi(app: Flask) -> None:
    found = [error.message for error in OpenAPIV31SpecValidator(document(app)).iter_errors()]
    assert found == []


def test_every_example_is_accepted_by_its_call(app: Flask) -> None:
    shown = [(op, op.example) for op in openapi.operations(app) if op.example is not None]
    for operation, example in shown:
        assert operation.body is not None, operation.name
        operation.body.model_validate_json(json.dumps(example))
    assert len(shown) >= 20


def test_every_call_says_who_may_use_it_and_how_it_refuses(app: Flask) -> None:
    paths = document(app)["paths"]
    names = set()
    for operation in openapi.operations(app):
        told = paths["/api/v1" + operation.path][operation.method.lower()]
        assert ("security" in told) is (Role.ANYONE not in GRANTS[operation.permission]), operation.name
        assert {"401", "403", "404", "422", "429", "503"} <= set(told["responses"]), operation.name
        names.add(told["operationId"])
    assert len(names) == len(openapi.operations(app))


def test_every_list_is_paged(app: Flask) -> None:
    lists = {
        path: {parameter["name"] for parameter in told["get"].get("parameters", ())}
        for path, told in document(app)["paths"].items()
        if "get" in told and "Page_" in json.dumps(told["get"]["responses"]["200"])
    }
    assert len(lists) >= 14
    assert {path for path, names in lists.items() if not {"limit", "cursor"} <= names} == set()
