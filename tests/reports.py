"""Reports made for a test: entries of one, and the schema that all of them are held to."""

import json
from functools import cache

import jsonschema
from msgspec.structs import asdict

from properties.harness.report.data import Entry, as_json, as_schema


@cache
def _validator():
    schema = json.loads(as_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def valid(report):
    """The report, as a structure or as read from its JSON, which must fit the schema."""
    _validator().validate(report if isinstance(report, dict) else json.loads(as_json(report)))
    return report


def entry(result, **about):
    """A report's entry of this result, with what is said of its property."""
    values = {name: value for name, value in asdict(result).items() if name in Entry.__struct_fields__}
    return Entry(**values | about)


def entry_of(report, name):
    """The entry of a property, by its id or its pytest node, in a structure or its JSON."""
    name = name.replace(".py::test_", ".")
    if isinstance(report, dict):
        return next(one for one in report["properties"] if one["id"] == name)
    return next(one for one in report.properties if one.id == name)
