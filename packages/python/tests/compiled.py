"""What tests look at: the document of one handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikard import Spikard
from spikard._callable import HostCallable


class One:
    """An app of one route, compiled."""

    def __init__(self, handler: Callable[..., Any], method: str = "GET", path: str = "/", **options: Any) -> None:
        app = Spikard()
        app.route(path, method=method, **options)(handler)
        compiled = app._compile()
        self.callables = compiled.callables
        self.route: dict[str, Any] = compiled.document["routes"][0]
        self.parameters: list[dict[str, Any]] = self.route["parameters"]
        self.handler: HostCallable = self.callables[self.route["handler"]]

    @property
    def sources(self) -> list[tuple[str, str]]:
        """Source and name of each parameter."""
        return [(parameter["in"], parameter["name"]) for parameter in self.parameters]

    def decode(self, text: bytes) -> Any:
        """The body, decoded."""
        return self.callables[self.route["body"]["decoder"]].function(text)
