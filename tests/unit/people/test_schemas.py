"""The check of answers against JSON schemas agrees with the reference implementation."""

from __future__ import annotations

import itertools

import jsonschema
import pytest

from durably.people import complaint

SCHEMAS = [
    True,
    False,
    {},
    {"type": "integer"},
    {"type": "number"},
    {"type": ["string", "null"]},
    {"type": "boolean"},
    {"enum": [1, "a", None, True]},
    {"const": 1},
    {"minimum": 1, "maximum": 3},
    {"exclusiveMinimum": 1, "exclusiveMaximum": 3},
    {"multipleOf": 2},
    {"minLength": 1, "maxLength": 2},
    {"pattern": "^a+$"},
    {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
    {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
    {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
    {"properties": {"a": {}}, "additionalProperties": False},
    {"additionalProperties": {"type": "integer"}},
    {"minProperties": 1, "maxProperties": 1},
    {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    {"oneOf": [{"type": "integer"}, {"minimum": 2}]},
    {"allOf": [{"type": "integer"}, {"minimum": 2}]},
    {"not": {"type": "string"}},
    {"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}},
    {"properties": {"a": {"$ref": "#/$defs/a~1b"}}, "$defs": {"a/b": {"type": "string"}}},
    {"properties": {"child": {"$ref": "#"}, "v": {"type": "integer"}}},
]
VALUES = [
    None,
    True,
    False,
    0,
    1,
    2,
    3,
    1.0,
    2.5,
    "",
    "a",
    "aaa",
    "b",
    [],
    [1],
    [1, "x"],
    ["x"],
    [1, 2, 3],
    {},
    {"a": "x"},
    {"a": 1},
    {"a": "x", "b": 1},
    {"b": "x"},
    {"child": {"v": "no"}},
    {"child": {"v": 1}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_it_decides_as_the_reference_does(schema):
    """A value is refused exactly if the ``jsonschema`` package refuses it."""
    validator = jsonschema.Draft202012Validator(schema)
    decided = {repr(one): complaint(schema, one) is None for one in VALUES}
    assert decided == {repr(one): validator.is_valid(one) for one in VALUES}


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "integer"}, "5", "'5' is not of type integer"),
        ({"required": ["a"]}, {}, "'a' is missing"),
        ({"properties": {"a": {"items": {"type": "null"}}}}, {"a": [1]}, "a[0]: 1 is not"),
        ({"properties": {}, "additionalProperties": False}, {"b": 1}, "of its names (none)"),
        ({"minLength": 3}, "ab", "has 2 characters, fewer than 3"),
        ({"maximum": 3}, 4, "4 is more than 3"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, 1, "null and 1 is not"),
    ],
)
def test_it_says_what_does_not_fit_and_where(schema, value, said):
    """The complaint names the place, the value and what was wanted."""
    assert said in str(complaint(schema, value))


@pytest.mark.parametrize(
    "schema",
    [
        None,
        "string",
        {"$ref": "https://elsewhere.example/schema"},
        {"$ref": "#/nowhere"},
        {"pattern": "("},
        {"type": "no-such-type"},
        {"multipleOf": 0},
        {"minimum": "1"},
    ],
    ids=str,
)
def test_a_broken_schema_forbids_nothing(schema):
    """What cannot be understood is no reason to refuse a person's answer; nothing is fetched."""
    assert [complaint(schema, one) for one in VALUES] == [None] * len(VALUES)


def test_a_schema_that_refers_to_itself_without_end_comes_to_one():
    """Neither the schema nor the value can make the check run for ever."""
    assert complaint({"$ref": "#"}, 1) is None
    deep = list(itertools.accumulate(range(200), lambda inner, _: [inner], initial=[]))[-1]
    assert complaint({"items": {"$ref": "#"}}, deep) is None
