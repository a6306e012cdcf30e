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

    _missing = "the state has no {!r}"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(self._missing.format(name))

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class RequestState(State):
    """Those of a request."""

    _missing = "request.state has no {!r}: a hook or a dependency has to set it"

    def __getattr__(self, name: str) -> Any:
        from ._background import app_here

        app = app_here()
        if app is not None and name in vars(app.state):
            raise AttributeError(f"request.state has no {name!r}, but app.state has: write request.app.state.{name}")
        return super().__getattr__(name)


class AppState(State):
    """Those of an app."""

    _missing = (
        "app.state has no {!r}: the lifespan or an on_startup hook sets it, which `with TestClient(app)` runs too"
    )
