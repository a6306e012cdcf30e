"""The configuration classes."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from contextlib import closing
from typing import Any

import msgspec
import pytest
from spikard import BackgroundConfig, ServerConfig, SpecError, Spikard
from spikard._callable import Compiled
from spikard.config import given


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"port": "8000"}, ValueError, "ServerConfig.port: expected `int`, got `str`, got '8000'"),
        ({"port": 70000}, ValueError, "ServerConfig.port: "),
        ({"port": True}, ValueError, "ServerConfig.port: "),
        ({"request_timeout": -1}, ValueError, "ServerConfig.request_timeout: "),
        ({"threads": 0}, ValueError, "ServerConfig.threads: "),
        ({"trailing_slash": "maybe"}, ValueError, "ServerConfig.trailing_slash: "),
        ({"prot": 1}, TypeError, "ServerConfig has no field 'prot', did you mean 'port'?"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        ServerConfig(**fields)
    assert str(caught.value).startswith(words)


def test_fields_are_keywords() -> None:
    with pytest.raises(TypeError, match="keyword arguments only"):
        ServerConfig("localhost")  # type: ignore[call-arg]


def test_only_what_was_given_is_remembered() -> None:
    config = ServerConfig(port=8000, max_body_size=None)
    assert given(config) == {"port": 8000, "max_body_size": None}
    for twin in (pickle.loads(pickle.dumps(config)), copy.copy(config), copy.deepcopy(config)):
        assert twin == config
        assert given(twin) == given(config)
    assert given(msgspec.structs.replace(config, port=1)) == {"port": 1, "max_body_size": None}


def test_a_configuration_is_frozen_and_copies_are_checked() -> None:
    config = ServerConfig(request_timeout=30)
    assert isinstance(config.request_timeout, float)
    with pytest.raises(AttributeError):
        config.port = 1  # type: ignore[misc]
    with pytest.raises(ValueError, match="ServerConfig.port"):
        msgspec.structs.replace(config, port="x")


def test_a_subclass_may_add_fields() -> None:
    class Mine(ServerConfig, frozen=True, kw_only=True):
        extra: int = 0

    assert given(Mine(extra=1)) == {"extra": 1}  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="Mine.extra"):
        Mine(extra="x")  # type: ignore[call-arg]


def test_the_apps_overrides_go_before_its_configuration() -> None:
    app = Spikard(ServerConfig(port=1, host="a"), port=2, threads=3)
    assert app._compile().document["config"]["given"] == {"host": "a", "port": 2, "threads": 3}
    assert app.config.port == 2


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"prot": 1}, TypeError, r"Spikard\(\) has no argument 'prot', did you mean 'port'?"),
        ({"port": "x"}, ValueError, r"Spikard\(\): port: expected `int`, got `str`, got 'x'"),
        ({"config": {"port": 1}}, TypeError, "config must be a ServerConfig"),
    ],
)
def test_the_apps_overrides_are_checked(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Spikard(**fields)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (True, BackgroundConfig()),
        (False, None),
        (None, None),
        ({"max_queue": 5}, BackgroundConfig(max_queue=5)),
        (BackgroundConfig(max_queue=5), BackgroundConfig(max_queue=5)),
    ],
)
def test_a_configuration_within_is_a_flag_a_dict_or_its_class(said: Any, meant: object) -> None:
    assert ServerConfig(background_tasks=said).background_tasks == meant
    assert Spikard(background_tasks=said).config.background_tasks == meant


def test_a_fault_within_a_configuration_is_named() -> None:
    with pytest.raises(ValueError, match=r"ServerConfig.background_tasks: expected `int` >= 1 - at `\$.max_queue`"):
        ServerConfig(background_tasks={"max_queue": 0})
    with pytest.raises(ValueError, match="BackgroundConfig.drain_timeout: "):
        BackgroundConfig(drain_timeout=-1)


def test_the_environment_is_handed_on_verbatim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_PORT", "many")
    document = Spikard()._compile().document
    assert document["config"]["env"]["SPIKARD_PORT"] == "many"
    assert document["config"]["call"] == {}


def resolved(compiled: Compiled, call: dict[str, Any]) -> dict[str, Any]:
    """What the core makes of all the layers."""
    from spikard._worker import open_worker

    with closing(asyncio.new_event_loop()) as loop:
        worker = open_worker(compiled, call, loop)
        config: dict[str, Any] = json.loads(worker.config)
        worker.close(0.0)
        return config


def test_the_defaults_and_the_fields_are_the_cores() -> None:
    blank = Compiled({"config": {"given": {}, "env": {}}}, [], {})
    assert msgspec.to_builtins(ServerConfig()) == resolved(blank, {})


def test_a_call_goes_before_the_configuration_before_the_environment_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in {"PORT": "1", "BACKLOG": "2", "THREADS": "3", "KEEP_ALIVE": "none"}.items():
        monkeypatch.setenv(f"SPIKARD_{name}", text)
    app = Spikard(ServerConfig(port=4, backlog=5, header_timeout=6.0), backlog=7)
    found = resolved(app._compile(), {"port": 8, "header_timeout": None})
    assert [found[name] for name in ("port", "backlog", "threads", "keep_alive")] == [8, 7, 3, None]
    assert [found[name] for name in ("header_timeout", "body_timeout")] == [None, 30.0]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("PORT", "many", 'SPIKARD_PORT: .*"many"'), ("ENABLE_REQUEST_ID", "2", "SPIKARD_ENABLE_REQUEST_ID: .*2")],
)
def test_a_wrong_variable_is_a_fault_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, words: str
) -> None:
    monkeypatch.setenv(f"SPIKARD_{name}", text)
    with pytest.raises(SpecError, match=words):
        resolved(Spikard()._compile(), {})
