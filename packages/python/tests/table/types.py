"""The types that a parameter can have, each with a value as text and as JSON, one that is refused, and a default."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from pathlib import PurePosixPath
from typing import Any, NamedTuple


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Kind(NamedTuple):
    """One type. `text` and `bad` are what is sent as text (several: a repeated parameter), `json` and `bad_json` as JSON."""

    hint: str
    text: str | list[str]
    json: Any
    value: Any
    default: Any
    bad: str | list[str] | None
    words: tuple[str, str]
    """What is refused as text, and as JSON."""
    bad_json: Any = None
    options: str = ""
    """What its marker says beside the default."""

    @property
    def is_list(self) -> bool:
        return isinstance(self.text, list)


DAY, NOON = datetime.date(2026, 1, 31), datetime.time(12, 30)
MOMENT = datetime.datetime(2026, 1, 31, 12, 30, tzinfo=datetime.timezone.utc)
ID = uuid.UUID("12345678-1234-5678-1234-567812345678")
HOUR = datetime.timedelta(hours=1)
BIG = 2**70

TYPES = {
    "int": Kind("int", "7", 7, 7, -1, "x", ("int_parsing", "int_type"), "7"),
    "big": Kind("int", str(BIG), BIG, BIG, -BIG, "1.5", ("int_parsing", "int_type"), 1.5),
    "float": Kind("float", "2.5", 2.5, 2.5, -0.5, "x", ("float_parsing", "float_type"), "2.5"),
    "bool": Kind("bool", "true", True, True, False, "perhaps", ("bool_parsing", "bool_type"), 1),
    "str": Kind("str", "a b&=/+", "a b&=/+", "a b&=/+", "d", None, ("", "string_type"), 5),
    "bytes": Kind("bytes", "abc", "abc", b"abc", b"d", None, ("", "bytes_type"), 5),
    "decimal": Kind(
        "decimal.Decimal", "1.50", "1.50", decimal.Decimal("1.50"), decimal.Decimal(2), "x",
        ("decimal_parsing", "decimal_type"), [],
    ),
    "uuid": Kind("uuid.UUID", str(ID), str(ID), ID, uuid.UUID(int=1), "x", ("uuid_parsing", "uuid_type"), 5),
    "date": Kind(
        "datetime.date", "2026-01-31", "2026-01-31", DAY, datetime.date(2000, 1, 1), "x",
        ("date_from_datetime_parsing", "date_type"), [],
    ),
    "datetime": Kind(
        "datetime.datetime", "2026-01-31T12:30:00Z", "2026-01-31T12:30:00Z", MOMENT,
        datetime.datetime(2000, 1, 1), "x", ("datetime_from_date_parsing", "datetime_type"), [],
    ),
    "time": Kind("datetime.time", "12:30", "12:30:00", NOON, datetime.time(1), "x", ("time_parsing", "time_type"), []),
    "timedelta": Kind(
        "datetime.timedelta", "PT1H", "PT1H", HOUR, datetime.timedelta(1), "x",
        ("time_delta_parsing", "time_delta_type"), [],
    ),
    "enum": Kind("Color", "red", "red", Color.RED, Color.GREEN, "blue", ("enum", "enum"), "blue"),
    "intenum": Kind("Level", "2", 2, Level.HIGH, Level.LOW, "3", ("enum", "enum"), 3),
    "literal": Kind("Literal['a', 'b']", "a", "a", "a", "b", "c", ("literal_error", "literal_error"), "c"),
    "numbers": Kind("Literal[1, 2]", "2", 2, 2, 1, "3", ("literal_error", "literal_error"), 3),
    "optional": Kind("Optional[int]", "7", 7, 7, None, "x", ("int_parsing", "int_type"), "x"),
    "either": Kind("Union[int, uuid.UUID]", str(ID), str(ID), ID, 3, "x", ("int_parsing", "int_type"), "x"),
    "path": Kind(
        "PurePosixPath", "a.txt", "a.txt", PurePosixPath("a.txt"), PurePosixPath("b"), None, ("", "string_type"), 5
    ),
    "newtype": Kind("UserId", "7", 7, 7, 8, "x", ("int_parsing", "int_type"), "x"),
    "list": Kind("list[int]", ["1", "2"], [1, 2], [1, 2], [3], ["1", "x"], ("int_parsing", "int_type"), [1, "x"]),
    "texts": Kind("list[str]", ["a", "b"], ["a", "b"], ["a", "b"], [], None, ("", "list_type"), "a"),
    "set": Kind("set[int]", ["1", "2", "1"], [1, 2], {1, 2}, {3}, ["x"], ("int_parsing", "int_type"), ["x"]),
    "tuple": Kind(
        "tuple[int, ...]", ["1", "2"], [1, 2], (1, 2), (), ["1", "x"], ("int_parsing", "int_type"), [1, "x"]
    ),
    "days": Kind(
        "list[datetime.date]", ["2026-01-31"], ["2026-01-31"], [DAY], [], ["x"],
        ("date_from_datetime_parsing", "date_type"), [[]],
    ),
    "colors": Kind("list[Color]", ["red", "green"], ["red", "green"], [Color.RED, Color.GREEN], [], ["blue"], ("enum", "enum"), ["blue"]),
}  # fmt: skip


def limited(kind: Kind, options: str, good: tuple[Any, Any], bad: tuple[Any, Any], word: str) -> Kind:
    """A type with constraints: what they allow and what they refuse, as text and in JSON."""
    (text, given), (bad_text, refused) = good, bad
    return kind._replace(
        text=text,
        json=given,
        value=type(kind.value)(given),
        bad=bad_text,
        bad_json=refused,
        words=(word, word),
        options=options,
    )


def number(options: str, good: str, bad: str, word: str, name: str = "int") -> Kind:
    """A number with constraints."""
    read = {"int": int, "float": float, "decimal": str}[name]
    kind = TYPES[name]._replace(default=TYPES[name].value)
    return limited(kind, options, (good, read(good)), (bad, read(bad)), word)._replace(default=type(kind.value)(good))


def text(options: str, good: str, bad: str, word: str) -> Kind:
    """A text with constraints."""
    return limited(TYPES["str"], options, (good, good), (bad, bad), word)._replace(default=good)


def items(name: str, options: str, good: list[Any], bad: list[Any], word: str) -> Kind:
    """A sequence with constraints."""
    made = limited(TYPES[name], options, (list(map(str, good)), good), (list(map(str, bad)), bad), word)
    return made._replace(default=made.value)


CONSTRAINED = {
    "gt": number("gt=3", "4", "3", "greater_than"),
    "ge": number("ge=3", "3", "2", "greater_than_equal"),
    "lt": number("lt=3", "2", "3", "less_than"),
    "le": number("le=3", "3", "4", "less_than_equal"),
    "between": number("ge=1, le=5", "5", "6", "less_than_equal"),
    "multiple": number("multiple_of=5", "15", "7", "multiple_of"),
    "above": number("gt=0.5", "0.75", "0.5", "greater_than", "float"),
    "below": number("le=0.5", "0.5", "0.75", "less_than_equal", "float"),
    "halves": number("multiple_of=0.5", "1.5", "1.3", "multiple_of", "float"),
    "price": number("gt=0", "0.01", "0", "greater_than", "decimal"),
    "short": text("max_length=3", "äöü", "abcd", "string_too_long"),
    "long": text("min_length=3", "äöü", "ab", "string_too_short"),
    "exact": text("min_length=2, max_length=2", "ab", "abc", "string_too_long"),
    "pattern": text("pattern='^[a-z]+$'", "abc", "a1", "string_pattern_mismatch"),
    "found": text("pattern='b'", "abc", "ac", "string_pattern_mismatch"),
    "few": items("list", "max_length=2", [1, 2], [1, 2, 3], "too_long"),
    "many": items("list", "min_length=2", [1, 2], [1], "too_short"),
    "some": items("texts", "min_length=1, max_length=2", ["a", "b"], ["a", "b", "c"], "too_long"),
    "row": items("tuple", "min_length=2", [1, 2], [1], "too_short"),
    "unlike": items("set", "min_length=2", [1, 2], [1], "too_short"),
    "perhaps": number("gt=3", "4", "3", "greater_than")._replace(hint="Optional[int]", default=None),
    "id": number("gt=3", "4", "3", "greater_than")._replace(hint="UserId"),
}


def split(name: str, separator: str, good: list[Any], bad: str, word: str) -> Kind:
    """A sequence in one text."""
    kind = TYPES[name]
    value = [item.value if isinstance(item, enum.Enum) else item for item in good]
    made = kind._replace(
        text=separator.join(map(str, value)), value=type(kind.value)(good), default=type(kind.value)(good)
    )
    return made._replace(bad=bad, words=(word, word), options=f"separator={separator!r}")


SEPARATED = {
    "commas": split("list", ",", [1, 2, 3], "1,x", "int_parsing"),
    "bars": split("list", "|", [1, 2, 3], "1|x", "int_parsing"),
    "slashes": split("texts", "--", ["a", "b,c"], "", "")._replace(bad=None),
    "sets": split("set", ",", [1, 2], "1,,2", "int_parsing"),
    "rows": split("tuple", ",", [1, 2], "x,1", "int_parsing"),
    "dates": split("days", ",", [DAY, DAY], "2026-01-31,x", "date_from_datetime_parsing"),
    "paints": split("colors", ",", [Color.RED, Color.GREEN], "red,blue", "enum"),
}


def shown(value: Any) -> str:
    """A value and its type, as text that can cross a socket."""
    if isinstance(value, (list, tuple, set, frozenset)):
        inner = [shown(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
        return f"{type(value).__name__}({', '.join(inner)})"
    return f"{type(value).__name__} {value!r}"
