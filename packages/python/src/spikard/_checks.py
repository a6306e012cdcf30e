"""Constraints of `annotated-types` in plain models, and of our markers: msgspec reads past them, so they are tested after
decoding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from ._hints import is_union, unwrap
from ._models import fields_of, fill, is_sequence, kind_of

Loc = tuple[Any, ...]
Check = Callable[[Any, Loc], None]


class Bounds(NamedTuple):
    """What a marker says of a value, as metadata of its type."""

    gt: Any = None
    ge: Any = None
    lt: Any = None
    le: Any = None
    multiple_of: Any = None
    min_length: Any = None
    max_length: Any = None


class Refused(ValueError):
    """A decoded value breaks a constraint."""

    def __init__(self, kind: str, loc: Loc, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.loc = loc
        self.message = message


def checker(hint: Any) -> Check | None:
    """Tests a value against the constraints anywhere in its type; None where there are none."""
    return _compile(hint, {}) if _constrained(hint, set()) else None


def _constrained(hint: Any, seen: set[Any]) -> bool:
    plain, metadata = unwrap(hint)
    if any(_is_constraint(item) for item in metadata):
        return True
    if kind_of(plain) not in (None, "pydantic") and plain not in seen:
        seen.add(plain)
        return any(_constrained(field.hint, seen) for field in fields_of(plain))
    return any(_constrained(inner, seen) for inner in get_args(plain) if not isinstance(inner, (str, bytes, int)))


def _is_constraint(item: Any) -> bool:
    return isinstance(item, Bounds) or type(item).__module__.startswith("annotated_types")


def _compile(hint: Any, models: dict[Any, list[Check]]) -> Check | None:
    plain, metadata = unwrap(hint)
    own = [item for item in metadata if _is_constraint(item)]
    inner = _inside(plain, models)
    if not own:
        return inner

    def check(value: Any, loc: Loc) -> None:
        if value is not None:
            for constraint in own:
                _test(constraint, value, loc)
        if inner is not None:
            inner(value, loc)

    return check


def _inside(hint: Any, models: dict[Any, list[Check]]) -> Check | None:
    if is_union(hint):
        return _union(get_args(hint), models)
    if kind_of(hint) is not None:
        return None if kind_of(hint) == "pydantic" else _model(hint, models)
    arguments = get_args(hint)
    cls = get_origin(hint)
    if cls is None or not isinstance(cls, type):
        return None
    if issubclass(cls, Mapping):
        values = _compile(arguments[1], models)
        return None if values is None else _values(values)
    if is_sequence(hint):
        items = [_compile(argument, models) for argument in arguments if argument is not ...]
        return _items(items, fixed=issubclass(cls, tuple) and ... not in arguments)
    return None


def _values(each: Check) -> Check:
    def check(value: Any, loc: Loc) -> None:
        for key, member in value.items():
            each(member, (*loc, key))

    return check


def _items(items: list[Check | None], *, fixed: bool) -> Check | None:
    if not any(items):
        return None

    def check(value: Any, loc: Loc) -> None:
        for index, each in enumerate(value):
            test = items[index if fixed else 0]
            if test is not None:
                test(each, (*loc, index))

    return check


def _union(arguments: tuple[Any, ...], models: dict[Any, list[Check]]) -> Check | None:
    checks: list[tuple[type, Check]] = []
    for argument in arguments:
        check = _compile(argument, models)
        plain = unwrap(argument)[0]
        cls = get_origin(plain) or plain
        if check is not None and isinstance(cls, type):
            checks.append((dict if kind_of(cls) == "typeddict" else cls, check))
    if not checks:
        return None

    def test(value: Any, loc: Loc) -> None:
        for cls, check in checks:
            if isinstance(value, cls):
                check(value, loc)
                return

    return test


def _model(hint: Any, models: dict[Any, list[Check]]) -> Check:
    compiled = models.get(hint)
    if compiled is not None:  # the model holds itself: its checks are there by the time a value is tested
        known = compiled
        return lambda value, loc: known[0](value, loc)
    models[hint] = compiled = []
    keyed = kind_of(hint) == "typeddict"
    fields = [(field, _compile(fill(field.hint, {}), models)) for field in fields_of(hint)]
    checks = [(field.name, field.wire, check) for field, check in fields if check is not None]

    def test(value: Any, loc: Loc) -> None:
        for name, wire, check in checks:
            if not keyed:
                check(getattr(value, name), (*loc, wire))
            elif name in value:
                check(value[name], (*loc, wire))

    compiled.append(test)
    return test


def _test(constraint: Any, value: Any, loc: Loc) -> None:
    for name, (kind, holds, words) in _RULES.items():
        bound = getattr(constraint, name, None)
        if bound is not None and not (name == "min_length" and bound == 0) and not _holds(holds, value, bound):
            raise Refused(kind, loc, f"{words} {bound}")
    predicate = getattr(constraint, "func", None)
    if predicate is not None and not predicate(value):
        raise Refused("value_error", loc, "Value error, the value was refused")


def _holds(holds: Callable[[Any, Any], bool], value: Any, bound: Any) -> bool:
    try:
        return holds(value, bound)
    except ArithmeticError:  # of a decimal that is no number
        return False
    except TypeError:  # of a union's member of which the bound says nothing
        return True


_RULES: dict[str, tuple[str, Callable[[Any, Any], bool], str]] = {
    "gt": ("greater_than", lambda value, bound: value > bound, "Input should be greater than"),
    "ge": ("greater_than_equal", lambda value, bound: value >= bound, "Input should be greater than or equal to"),
    "lt": ("less_than", lambda value, bound: value < bound, "Input should be less than"),
    "le": ("less_than_equal", lambda value, bound: value <= bound, "Input should be less than or equal to"),
    "multiple_of": ("multiple_of", lambda value, bound: value % bound == 0, "Input should be a multiple of"),
    "min_length": ("too_short", lambda value, bound: len(value) >= bound, "Input should have at least this length:"),
    "max_length": ("too_long", lambda value, bound: len(value) <= bound, "Input should have at most this length:"),
    "regex": (
        "string_pattern_mismatch",
        lambda value, bound: re.search(bound, value) is not None,
        "String should match",
    ),
}
