"""Where a program that starts anew finds an app: `module:attribute`. And that program, which serves it."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from functools import reduce
from types import ModuleType
from typing import Any, NamedTuple

from .app import Spikard

_SERVE = "from spikard._target import serve; serve()"

serves = False
"""This process is that program."""


class Target(NamedTuple):
    """An attribute of a module."""

    module: str
    attribute: str
    file: str | None = None
    """Where the module was read, for one that is found by its file only."""

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"


def named(text: str) -> Target:
    """The target that `module:attribute` means."""
    module, _, attribute = text.partition(":")
    if not module or not attribute:
        raise ValueError(f"an app is named module:attribute, got {text!r}")
    return Target(module, attribute)


def found(app: Spikard) -> Target | None:
    """The module that holds this very object, if one that can be read again does. Of several, one that is no test, and
    the one that was imported last: who imports an app begins before it.
    """
    best: Target | None = None
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None:
            continue
        for attribute, value in list(vars(module).items()):
            if value is app and (best is None or not _is_test(name)):
                best = Target(_name(name, module), attribute, file)
    return best


def _is_test(module: str) -> bool:
    return module.rpartition(".")[2].startswith(("test_", "conftest"))


def _name(name: str, module: ModuleType) -> str:
    if name != "__main__":
        return name
    return module.__spec__.name if module.__spec__ is not None else "__mp_main__"


def command(target: Target, call: dict[str, Any]) -> list[str]:
    """What starts the program."""
    return [sys.executable, "-c", _SERVE, json.dumps([sys.path, target, call])]


def serve() -> None:
    """The program."""
    global serves
    serves = True
    path, target, call = json.loads(sys.argv[1])
    sys.path[:] = path
    del sys.argv[1:]
    _load(Target(*target)).run(**call)


def _load(target: Target) -> Spikard:
    app = reduce(getattr, target.attribute.split("."), _import(target.module, target.file))
    if not isinstance(app, Spikard):
        raise TypeError(f"{target} is no Spikard, but a {type(app).__qualname__}")
    return app


def _import(name: str, file: str | None) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if file is None or not f"{name}.".startswith(f"{error.name}."):
            raise
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{file} cannot be read as a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
