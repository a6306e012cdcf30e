"""The schemas that are derived from the corpus's models, in every library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from spikard._schema import schema_of

from .conformance.models import native

MODELS = json.loads((Path(__file__).parents[3] / "testing_data" / "models.json").read_text())


def normalised(value: Any, *, names: bool = False) -> Any:
    """Without titles, descriptions and examples, but for members of that name; keys in any order, lists as they are."""
    if isinstance(value, list):
        return [normalised(item) for item in value]
    if not isinstance(value, dict):
        return value
    dropped = () if names else ("title", "description", "examples")
    return {
        key: list(inner) if key == "required" else normalised(inner, names=key in ("properties", "$defs") and not names)
        for key, inner in value.items()
        if key not in dropped
    }


@pytest.mark.parametrize(
    ("name", "decoder"), [(name, decoder) for name, model in MODELS.items() for decoder in model["decoders"]]
)
def test_the_derived_schema_is_the_corpuss(name: str, decoder: str) -> None:
    derived = normalised(schema_of(native(decoder, name)))
    wanted = MODELS[name]["schema"]
    assert derived == wanted
    assert list(derived.get("properties", ())) == list(wanted.get("properties", ()))
