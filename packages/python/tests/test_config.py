"""The configuration classes."""

from __future__ import annotations

import asyncio
import copy
import json
import math
import pickle
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from spikard import BackgroundConfig, ServerConfig, SpecError, Spikard
from spikard._callable import Compiled
from spikard._worker import _resolve
from spikard.config import given


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"port": "8000"}, ValueError, "ServerConfig.port: expected `int`, got `str` '8000'"),
        ({"port": 70000}, ValueError, "ServerConfig.port: "),
        ({"port": True}, ValueError, "ServerConfig.port: "),
        ({"request_timeout": -1}, ValueError, "ServerConfig.request_timeout: "),
        ({"threads": 0}, ValueError, "ServerConfig.threads: "),
        ({"fd": True}, ValueError, "ServerConfig.fd: expected `int | None`, got `bool` True"),
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
        ({"port": "x"}, ValueError, r"Spikard\(\): port: expected `int`, got `str` 'x'"),
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
    words = r"ServerConfig.background_tasks: BackgroundConfig.max_queue: expected `int` >= 1, got 0"
    with pytest.raises(ValueError, match=words):
        ServerConfig(background_tasks={"max_queue": 0})
    words = r"ServerConfig.background_tasks: BackgroundConfig has no field 'max_quue', did you mean 'max_queue'\?"
    with pytest.raises(TypeError, match=words):
        ServerConfig(background_tasks={"max_quue": 1})
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


YEAR = 31_536_000
LARGEST = 2**53 - 1
BOUNDS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("fd", "backlog"), (0, 2**31 - 1)),
    **dict.fromkeys(("max_requests", "max_worker_rss", "max_connections", "max_in_flight"), (1, LARGEST)),
    **dict.fromkeys(("max_form_parts", "max_form_text"), (1, LARGEST)),
    **dict.fromkeys(("max_body_size", "upload_memory"), (0, LARGEST)),
    **dict.fromkeys(("workers", "threads"), (1, 65535)),
    **dict.fromkeys(("request_timeout", "header_timeout", "body_timeout", "write_timeout"), (1e-9, YEAR)),
    **dict.fromkeys(("keep_alive", "max_worker_age", "cancel_grace"), (1e-9, YEAR)),
    "shutdown_timeout": (0, YEAR),
    "max_json_depth": (1, 127),
    "port": (0, 65535),
}
WITHOUT_NUMBER = {
    **dict.fromkeys(("reload", "io_thread", "debug", "cancel_on_disconnect", "enable_request_id"), (True, False)),
    **dict.fromkeys(("assert_formats", "validate_responses", "graceful_shutdown"), (True, False)),
    **dict.fromkeys(("host", "uds", "upload_dir"), (".", "/tmp")),
    "trailing_slash": ("redirect", "strict", "ignore"),
    "access_log": (True, False, "combined", "json"),
    "background_tasks": (True, False, {"max_queue": 1}, BackgroundConfig()),
}
WRONG = (-1, -0.5, "", "x", [], {"x": 1}, 1, 1.5, True, None, 2**53, 2**70, 1e300, float("nan"), float("inf"))


def accepted(field: str, value: Any) -> tuple[bool, bool]:
    """Whether the class takes the value, and whether the core does."""
    return taken(field, lambda: ServerConfig(**{field: value})), taken(field, lambda: core({field: value}))


def taken(field: str, judge: Callable[[], object]) -> bool:
    """Whether nothing is raised; a refusal must name the field, in words of ours."""
    try:
        judge()
    except (ValueError, TypeError, SpecError) as error:
        told = str(error)
    else:
        return True
    assert f"{field}: " in told
    assert "invalid" not in told.replace("invalid enum value", "")
    return False


def core(call: dict[str, Any]) -> None:
    _resolve(msgspec.json.encode({"call": call, "given": {}, "env": {}}))


@pytest.mark.parametrize("field", ServerConfig.__struct_fields__)
def test_class_and_core_refuse_the_same_values(field: str) -> None:
    least, most = BOUNDS.get(field, (0, 0))
    good: tuple[Any, ...] = WITHOUT_NUMBER.get(field, (least, most))
    assert [(value, *accepted(field, value)) for value in good] == [(value, True, True) for value in good]
    beyond = (most + 1, least - 1) if field in BOUNDS else ()
    for value in (*beyond, *WRONG):
        if isinstance(value, float) and not math.isfinite(value):
            with pytest.raises(ValueError, match=f"{field}: "):
                ServerConfig(**{field: value})
            continue
        by_class, by_core = accepted(field, value)
        assert by_class == by_core, f"{value!r}: the class says {by_class}, the core {by_core}"
        assert not (by_class and value in beyond)


def test_a_path_is_its_text() -> None:
    config = ServerConfig(uds=Path("a") / "b", upload_dir=Path("c"))
    assert (config.uds, config.upload_dir) == (str(Path("a/b")), "c")


def test_a_call_goes_before_the_configuration_before_the_environment_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in {"PORT": "1", "BACKLOG": "2", "THREADS": "3", "KEEP_ALIVE": "none"}.items():
        monkeypatch.setenv(f"SPIKARD_{name}", text)
    app = Spikard(ServerConfig(port=4, backlog=5, header_timeout=6.0), backlog=7)
    found = resolved(app._compile(), {"port": 8, "header_timeout": None})
    assert [found[name] for name in ("port", "backlog", "threads", "keep_alive")] == [8, 7, 3, None]
    assert [found[name] for name in ("header_timeout", "body_timeout")] == [None, 30.0]


@pytest.mark.parametrize("field", ServerConfig.__struct_fields__)
def test_every_field_is_read_from_its_variable(field: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    default = getattr(ServerConfig(), field)
    others = {"upload_dir": str(tmp_path), "trailing_slash": "strict", "background_tasks": None, "access_log": "json"}
    numbers = next(iter(BOUNDS[field])) + 2 if field in BOUNDS else f"{default}2"
    value = others.get(field, not default if isinstance(default, bool) else numbers)
    monkeypatch.delenv("SPIKARD_IO_THREAD", raising=False)  # the suite runs on both transports
    monkeypatch.setenv(f"SPIKARD_{field.upper()}", str(value))
    found = resolved(Spikard()._compile(), {})
    assert found[field] == value != msgspec.to_builtins(default)
    blank = msgspec.to_builtins(ServerConfig())
    if field == "graceful_shutdown":
        blank["shutdown_timeout"] = 0.0
    assert {name: found[name] for name in found if name != field} == {n: blank[n] for n in blank if n != field}


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
