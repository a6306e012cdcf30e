"""What other frameworks have under a name that is not here, and what to write instead. Read only when a name is missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_LATER = "is not there yet"
_HOOKS = "write a hook: `@app.on_request` or `@app.on_response`"
_TOKEN = "write a function that takes `Annotated[str, Header()]`, and use it with `Depends`"

NAMES: dict[str, str] = {
    **dict.fromkeys(("FastAPI", "Starlette", "Litestar"), "`Spikard` is the app"),
    "APIRouter": "`Router` is the same",
    "Controller": "write a `Router(prefix=…)`",
    "status": "write the number, or `http.HTTPStatus.CREATED`",
    "Security": "`Depends` is the same but for scopes, which are not there",
    **dict.fromkeys(("OAuth2PasswordBearer", "HTTPBearer", "HTTPBasic", "APIKeyHeader"), _TOKEN),
    "OAuth2PasswordRequestForm": "write a model of the form, and take it as `Form[Model]`",
    "RequestValidationError": "`@app.exception_handler(422)` gets an HTTPException whose `extra['errors']` lists them",
    "ValidationError": "`@app.exception_handler(422)` gets an HTTPException whose `extra['errors']` lists them",
    "jsonable_encoder": "return the object itself, or take `msgspec.to_builtins(value)`",
    "run_in_threadpool": "write a `def` handler, or `await asyncio.to_thread(…)`",
    "BackgroundTask": "write `background.run(work)`, or `Response(…, background=work)`",
    **dict.fromkeys(("ORJSONResponse", "UJSONResponse"), "`JSONResponse` is the fast one"),
    "Stream": "`StreamingResponse` is the same",
    "Redirect": "`RedirectResponse` is the same",
    "Parameter": "write `Query()`, `Header()`, `Cookie()` or `Path()`",
    "Jinja2Templates": "render the text yourself, and return an `HTMLResponse`",
    **dict.fromkeys(("Middleware", "BaseHTTPMiddleware", "TrustedHostMiddleware"), _HOOKS),
    "CORSMiddleware": "CORS is not there yet; an `@app.on_response` hook can set its fields",
    "GZipMiddleware": "compression is not there yet",
    "StaticFiles": "static files are not there yet; `FileResponse` sends one",
    **dict.fromkeys(("WebSocket", "WebSocketDisconnect"), "websockets are not there yet"),
    **dict.fromkeys(("websocket", "sse", "SseEvent", "EventSourceResponse", "Channels"), _LATER),
    **dict.fromkeys(("CompressionConfig", "RateLimitConfig", "JwtConfig", "ApiKeyConfig", "CorsConfig"), _LATER),
    **dict.fromkeys(("StaticFilesConfig", "OpenApiConfig", "TlsConfig"), _LATER),
}
"""Of the module."""

ATTRIBUTES: dict[str, str] = {
    **dict.fromkeys(("middleware", "add_middleware", "user_middleware"), _HOOKS),
    "on_event": "write `@app.on_startup` or `@app.on_shutdown`",
    "add_event_handler": "write `app.on_startup(function)` or `app.on_shutdown(function)`",
    "add_exception_handler": "write `app.exception_handler(what)(handler)`",
    **dict.fromkeys(("add_api_route", "add_route"), 'write `app.get("/path")(handler)`'),
    "api_route": "`app.route(path, methods=[…])` is the same",
    "dependency_overrides": "write `with app.override(key, value):`",
    "router": "an app is a router itself",
    "register": "`app.include_router(router)` is the same",
    **dict.fromkeys(("title", "version", "description"), "there is no OpenAPI document yet that would have it"),
    **dict.fromkeys(("openapi", "openapi_schema", "websocket", "sse", "add_grpc_service", "use_grpc"), _LATER),
    "mount": "another app cannot stand below this one yet; an ASGI server can mount this one",
    **dict.fromkeys(("url_path_for", "url_for"), "there are no names to look paths up by: write the path"),
    "debug": "it is `app.config.debug`",
}
"""Of apps and routers."""

ARGUMENTS: dict[str, str] = {
    **{name: said for name, said in ATTRIBUTES.items() if name in ("title", "version", "description")},
    **dict.fromkeys(("docs_url", "redoc_url", "openapi_url", "openapi_tags", "root_path"), _LATER),
    "middleware": _HOOKS,
    "exception_handlers": "write `@app.exception_handler(what)`",
    **dict.fromkeys(("on_startup", "on_shutdown"), "write `@app.on_startup` and `@app.on_shutdown`"),
    "redirect_slashes": 'write `trailing_slash="strict"` for False',
    "route_handlers": "write `@app.get(…)` above each, or `routers=[…]`",
    **dict.fromkeys(("cors_config", "compression_config", "openapi_config", "static_files_config"), _LATER),
    **dict.fromkeys(("cors", "compression", "rate_limit", "jwt", "jwt_auth", "api_key", "api_key_auth"), _LATER),
    **dict.fromkeys(("static_files", "openapi", "tls", "trusted_proxies", "allowed_hosts", "websocket", "sse"), _LATER),
}
"""Of `Spikard()`, `run()` and `serve()`."""

OPTIONS: dict[str, str] = {
    "response_model": "annotate what the handler returns: `-> Item` sends the fields of Item and no others",
    **dict.fromkeys(
        (
            "response_model_exclude",
            "response_model_include",
            "response_model_exclude_none",
            "response_model_exclude_unset",
        ),
        "annotate a model that has what is sent; msgspec's `omit_defaults=True` leaves defaults out",
    ),
    "response_class": 'return the response itself, or write `media_type="text/html"`',
    "status": "it is `status_code`",
    "middleware": "write `on_request=` and `on_response=`, which are hooks",
    "guards": "write `on_request=` or `dependencies=[…]`",
    **dict.fromkeys(("before_request", "after_request"), "write `on_request=` and `on_response=`, which are hooks"),
    **dict.fromkeys(("dto", "return_dto"), "annotate the type itself: of a result no other field is sent"),
    **dict.fromkeys(("openapi_extra", "callbacks"), "there is no OpenAPI document yet that would have it"),
    **dict.fromkeys(("cors", "auth"), _LATER),
}
"""Of routes."""

MARKS: dict[str, str] = {
    "gte": "it is `ge`",
    "lte": "it is `le`",
    "min": "it is `ge`",
    "max": "it is `le`",
    "regex": "it is `pattern`",
    **dict.fromkeys(("validation_alias", "serialization_alias"), "it is `alias`"),
    "example": "it is `examples`",
    "openapi_examples": "it is `examples`",
    "json_schema_extra": "it is `schema`",
    "strict": "the type says what is read",
    "include_in_schema": "there is no OpenAPI document yet that would leave it out",
    "media_type": "the request's own `Content-Type` says how its body is read",
}
"""Of markers."""


def unknown_name(
    owner: str, noun: str, name: str, known: Iterable[str], elsewhere: Mapping[str, str] | None = None
) -> str:
    """The message for a name that does not exist: what it is called here, else the nearest name that does exist."""
    from difflib import get_close_matches

    said = (elsewhere or {}).get(name)
    if said is not None:
        return f"{owner} has no {noun} {name!r}" + (" yet" if said is _LATER else f": {said}")
    near = get_close_matches(name, list(known), 1)
    return f"{owner} has no {noun} {name!r}" + (f", did you mean {near[0]!r}?" if near else "")


def missing(name: str, known: Iterable[str]) -> Exception:
    """What a module that lacks a name raises: in `from spikard import name`, which would swallow the words of an
    AttributeError, an ImportError.
    """
    import sys
    from importlib.util import find_spec

    importing = sys._getframe(2).f_code.co_name == "_handle_fromlist"
    if not importing or name.startswith("_") or find_spec(f"spikard.{name}") is not None:
        return AttributeError(unknown_name("spikard", "name", name, (), NAMES))  # Python itself adds the nearest one
    return ImportError(unknown_name("spikard", "name", name, known, NAMES))


def attribute(owner: object, name: str) -> AttributeError:
    """What an app or a router that lacks an attribute raises; Python itself adds the nearest one."""
    said, cls = ATTRIBUTES.get(name), type(owner).__name__
    words = "" if said is None else " yet" if said is _LATER else f": {said}"
    error = AttributeError(f"{cls!r} object has no attribute {name!r}{words}")
    error.name, error.obj = name, owner
    return error
