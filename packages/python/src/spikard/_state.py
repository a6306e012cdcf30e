"""Free-form attributes of an app and of a request."""

from __future__ import annotations

from typing import Any


class State:
    """Free-form attributes.

    >>> state = State()
    >>> state.ready = True
    >>> state.ready
    True
    """

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the state has no {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
