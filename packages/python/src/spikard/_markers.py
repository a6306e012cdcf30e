"""Parameter markers: one name that is an annotation (`Query[int]`) and a call (`Query(default=10)`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Number
from re import Pattern
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import TypeVar

    class _Call(Any):  # type: ignore[misc]
        """What mypy sees when a marker is called: checked keywords, result Any."""

        def __new__(
            cls,
            default: Any = ...,
            *,
            default_factory: Callable[[], Any] | None = None,
            alias: str | None = None,
            schema: dict[str, Any] | None = None,
            title: str | None = None,
            description: str | None = None,
            examples: list[Any] | None = None,
            gt: float | None = None,
            ge: float | None = None,
            lt: float | None = None,
            le: float | None = None,
            multiple_of: float | None = None,
            min_length: int | None = None,
            max_length: int | None = None,
            pattern: str | None = None,
            deprecated: bool = False,
            include_in_schema: bool = True,
            separator: str | None = None,
            embed: bool = False,
            convert_underscores: bool = True,
        ) -> Any: ...

    class Marker:
        """What a marker is at run time."""

        default: Any
        options: dict[str, Any]
        source: str

    _U = TypeVar("_U")
    # The indirection makes pyright forget that an `Annotated` is not callable.
    _Inner: TypeAlias = Annotated[_U, "spikard marker"]
    # The default makes mypy check calls as `_Call`'s; the bound makes pyright take them for Any.
    _T = TypeVar("_T", bound=Any, default=_Call)
    Path: TypeAlias = _Inner[_T]
    Query: TypeAlias = _Inner[_T]
    Header: TypeAlias = _Inner[_T]
    Cookie: TypeAlias = _Inner[_T]
    Body: TypeAlias = _Inner[_T]
    Form: TypeAlias = _Inner[_T]
    File: TypeAlias = _Inner[_T]
else:
    _WANTED = {
        **dict.fromkeys(("gt", "ge", "lt", "le", "multiple_of"), ("a number", Number)),
        **dict.fromkeys(("min_length", "max_length"), ("an int", int)),
        **dict.fromkeys(("alias", "title", "description", "separator"), ("a str", str)),
        **dict.fromkeys(("deprecated", "include_in_schema", "embed", "convert_underscores"), ("a bool", bool)),
        "examples": ("a list", (list, tuple)),
        "schema": ("a JSON Schema: a dict", Mapping),
        "pattern": ("a regular expression", (str, Pattern)),
        "default_factory": ("a function", Callable),
    }
    _DESCRIBES = ("default_factory", "alias", "schema", "title", "description", "examples", "include_in_schema")
    _CONSTRAINS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")

    class Marker:
        """Says where an argument comes from, its default and its constraints.

        Hash and equality are the identity's: a union hashes its members, and options may hold lists.
        """

        __slots__ = ("default", "options")
        source = ""
        accepted = frozenset((*_DESCRIBES, *_CONSTRAINS, "deprecated"))

        def __init__(self, default=..., **options):
            unknown = options.keys() - self.accepted
            if unknown:
                from ._elsewhere import unknown_name

                raise TypeError(
                    unknown_name(f"{type(self).__name__}()", "option", min(unknown), self.accepted, "marks")
                )
            if default is not ... and options.get("default_factory") is not None:
                raise TypeError(f"{type(self).__name__}() takes default or default_factory, not both")
            self.default = default
            self.options = {name: value for name, value in options.items() if value is not None}
            for name, value in self.options.items():
                words, kinds = _WANTED[name]
                if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
                    raise TypeError(f"{type(self).__name__}(): {name} must be {words}, got {value!r}")
                if value in ("", 0) and name in ("separator", "multiple_of"):
                    raise ValueError(f"{type(self).__name__}(): {name} must be more than {value!r}")

        def __class_getitem__(cls, item):
            return Annotated[item, cls()]

        def __repr__(self):
            given = [] if self.default is ... else [repr(self.default)]
            given += [f"{name}={value!r}" for name, value in self.options.items()]
            return f"{type(self).__name__}({', '.join(given)})"

    class Path(Marker):
        """A segment of the path."""

        __slots__ = ()
        source = "path"
        accepted = Marker.accepted | {"separator"}

    class Query(Marker):
        """A parameter of the query string; a model gathers its fields from it."""

        __slots__ = ()
        source = "query"
        accepted = Marker.accepted | {"separator"}

    class Header(Marker):
        """A header field: `x_token` reads `x-token` unless `convert_underscores=False` or `alias` says otherwise."""

        __slots__ = ()
        source = "header"
        accepted = Marker.accepted | {"separator", "convert_underscores"}

    class Cookie(Marker):
        """A cookie."""

        __slots__ = ()
        source = "cookie"
        accepted = Marker.accepted | {"separator"}

    class Body(Marker):
        """The JSON body, or one member of it where several are marked or `embed=True`."""

        __slots__ = ()
        source = "body"
        accepted = Marker.accepted | {"embed"}

    class Form(Marker):
        """A urlencoded form as a model, or one field of it."""

        __slots__ = ()
        source = "form"

    class File(Marker):
        """A file of a multipart form: `UploadFile`, `bytes`, or a list of either, whose lengths count files."""

        __slots__ = ()
        source = "file"
        accepted = Marker.accepted - {"gt", "ge", "lt", "le", "multiple_of", "pattern", "schema"}
