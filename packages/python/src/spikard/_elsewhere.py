"""What other frameworks have under a name that is not here, and what to write instead. Read only when a name is missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_LATER = "is not there yet"
_HOOKS = "write a hook: `@app.on_request` or `@app.on_response`"
_DOCUMENT = "there is no OpenAPI document yet that would have it"
_FIELDS = "annotate a model that has what is sent; msgspec's `omit_defaults=True` leaves defaults out"
_RAISE = "raise `HTTPException` with the status"
_TOKEN = "write a function that takes `Annotated[str, Header()]`, and use it with `Depends`"

NAMES: dict[str, str] = {
    **dict.fromkeys(("FastAPI", "Starlette", "Litestar"), "`Spikard` is the app"),
    "APIRouter": "`Router` is the same",
    "Controller": "write a `Router(prefix=…)`",
    "status": "write the number, or `http.HTTPStatus.CREATED`",
    "Security": "`Depends` is the same but for scopes, which are not there",
    "SecurityScopes": "scopes are not there: `Depends` of an object with `__call__` takes what it needs in its constructor",
    **dict.fromkeys(("OAuth2PasswordBearer", "HTTPBearer", "HTTPBasic", "HTTPDigest", "OpenIdConnect"), _TOKEN),
    **dict.fromkeys(("APIKeyHeader", "HTTPAuthorizationCredentials", "HTTPBasicCredentials"), _TOKEN),
    **dict.fromkeys(
        ("APIKeyQuery", "APIKeyCookie"),
        "write a function that takes `Query()` or `Cookie()`, and use it with `Depends`",
    ),
    **dict.fromkeys(("StarletteHTTPException", "WebSocketException"), "`HTTPException` is the only one"),
    "ResponseValidationError": "a result that is not what is annotated is a 500, and told in the log",
    **dict.fromkeys(
        ("http_exception_handler", "request_validation_exception_handler"), "raise the exception again in your handler"
    ),
    "BaseSettings": "it is pydantic's: `from pydantic_settings import BaseSettings`",
    **dict.fromkeys(("AsyncClient", "AsyncTestClient"), "`async with TestClient(app)`, whose answers can be awaited"),
    **dict.fromkeys(("State", "URL", "Headers", "QueryParams"), "it is in `spikard.datastructures`"),
    "create_test_client": "write `TestClient(app)`",
    **dict.fromkeys(("NotFoundException", "NotAuthorizedException", "PermissionDeniedException"), _RAISE),
    **dict.fromkeys(("ClientException", "ValidationException", "InternalServerException"), _RAISE),
    "ImproperlyConfiguredException": "`SpecError` is what an app that cannot work raises",
    **dict.fromkeys(("MediaType", "RequestEncodingType"), 'write the media type: `"text/html"`'),
    **dict.fromkeys(("HttpMethod", "HTTPMethod"), 'write the method: `"GET"`'),
    "status_codes": "write the number, or `http.HTTPStatus.CREATED`",
    **dict.fromkeys(("Template", "TemplateResponse"), "render the text yourself, and return an `HTMLResponse`"),
    "Dependency": "`Depends` of a function, or the name of what `app.provide` has",
    **dict.fromkeys(("ASGIConnection", "BaseRouteHandler"), "a hook or a dependency takes the `Request`"),
    **dict.fromkeys(("DTOData", "DataclassDTO", "MsgspecDTO", "PydanticDTO"), "annotate the type itself"),
    **dict.fromkeys(("ResponseCookie", "ResponseHeader"), "a `Response` has `set_cookie` and `headers`"),
    **dict.fromkeys(("CORSConfig", "OpenAPIConfig", "ServerSentEvent", "websocket_listener"), _LATER),
    **dict.fromkeys(
        ("responses", "requests", "testclient", "encoders", "security", "concurrency"),
        "everything comes from `spikard`",
    ),
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
    **dict.fromkeys(("title", "version", "description"), _DOCUMENT),
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
    **dict.fromkeys(("responses", "default_response_class", "response_class"), "say it of each route"),
    **dict.fromkeys(("summary", "contact", "license_info", "terms_of_service", "servers", "tags"), _DOCUMENT),
    **dict.fromkeys(
        ("swagger_ui_parameters", "generate_unique_id_function", "separate_input_output_schemas"), _DOCUMENT
    ),
    "routes": "write `@app.get(…)` above each, or `routers=[…]`",
    **dict.fromkeys(("guards", "before_request", "after_request", "after_response"), _HOOKS),
    "on_app_init": "write a function that takes the app, and call it",
    "state": "set attributes of `app.state`",
    **dict.fromkeys(("response_headers", "response_cookies"), "write an `@app.on_response` hook"),
    "type_decoders": "write `@register_decoder` above a function",
    "type_encoders": "what is no model is written by a method or a property of one",
    "logging_config": "configure `logging` as ever",
    "request_max_body_size": "it is `max_body_size`",
    **dict.fromkeys(("stores", "plugins", "opt", "dto", "return_dto", "signature_namespace"), "there is no such thing"),
    "template_config": "render the text yourself, and return an `HTMLResponse`",
    **dict.fromkeys(("on_startup", "on_shutdown"), "write `@app.on_startup` and `@app.on_shutdown`"),
    "redirect_slashes": 'write `trailing_slash="strict"` for False',
    "route_handlers": "write `@app.get(…)` above each, or `routers=[…]`",
    **dict.fromkeys(("cors_config", "compression_config", "openapi_config", "static_files_config"), _LATER),
    **dict.fromkeys(("cors", "compression", "rate_limit", "jwt", "jwt_auth", "api_key", "api_key_auth"), _LATER),
    **dict.fromkeys(("static_files", "openapi", "tls", "trusted_proxies", "allowed_hosts", "websocket", "sse"), _LATER),
}
"""Of `Spikard()`, `run()` and `serve()`."""

REQUEST: dict[str, str] = {
    "url_for": "there are no names to look paths up by: write the path",
    "path_for": "there are no names to look paths up by: write the path",
    "auth": "it is `request.user`, which a hook sets",
    "session": "there are no sessions: a hook can read and set a cookie",
    **dict.fromkeys(("scope", "receive", "send"), "there is no ASGI below: its parts are attributes of the request"),
    "query": "it is `query_params`, or the text `query_string`",
    "params": "they are `path_params` and `query_params`",
    **dict.fromkeys(("data", "content"), "write `await request.body()`"),
    **dict.fromkeys(("args", "values"), "it is `query_params`"),
    "files": "write `await request.form()`, or a parameter of type `UploadFile`",
    "cookie": "it is `cookies`",
    "remote_addr": "it is `client.host`",
    **dict.fromkeys(("logger", "log"), "write `logging.getLogger(__name__)`"),
}
"""Of requests."""

OPTIONS: dict[str, str] = {
    **dict.fromkeys(("response_description", "generate_unique_id_function", "openapi_extra", "callbacks"), _DOCUMENT),
    "response_model_by_alias": "names on the wire are those of the model: aliases, and msgspec's `rename`",
    "response_model": "annotate what the handler returns: `-> Item` sends the fields of Item and no others",
    **dict.fromkeys(
        (
            "response_model_exclude",
            "response_model_include",
            "response_model_exclude_none",
            "response_model_exclude_unset",
            "response_model_exclude_defaults",
        ),
        _FIELDS,
    ),
    "response_class": 'return the response itself, or write `media_type="text/html"`',
    "status": "it is `status_code`",
    "middleware": "write `on_request=` and `on_response=`, which are hooks",
    "guards": "write `on_request=` or `dependencies=[…]`",
    **dict.fromkeys(("before_request", "after_request"), "write `on_request=` and `on_response=`, which are hooks"),
    "after_response": "write `background.run(work)`, or `Response(…, background=work)`",
    "background": "write `background.run(work)`, or `Response(…, background=work)`",
    **dict.fromkeys(
        ("response_headers", "response_cookies", "cache_control", "etag"), "return a `Response` that has them"
    ),
    "request_max_body_size": "it is `max_body_size`",
    "raises": "write `responses=`",
    **dict.fromkeys(("opt", "cache", "security", "type_encoders"), "there is no such thing"),
    **dict.fromkeys(("dto", "return_dto"), "annotate the type itself: of a result no other field is sent"),
    **dict.fromkeys(("cors", "auth"), _LATER),
}
"""Of routes."""

ROUTERS: dict[str, str] = {
    **dict.fromkeys(("responses", "default_response_class", "deprecated", "include_in_schema"), "say it of each route"),
    **dict.fromkeys(("callbacks", "generate_unique_id_function"), _DOCUMENT),
    **dict.fromkeys(("on_startup", "on_shutdown", "lifespan"), "start-up and shut-down belong to the app"),
    **dict.fromkeys(
        ("route_class", "middleware", "guards"), "write hooks: `@router.on_request`, `@router.on_response`"
    ),
    **dict.fromkeys(("before_request", "after_request"), "write hooks: `@router.on_request`, `@router.on_response`"),
    "redirect_slashes": "it is of the app: `Spikard(trailing_slash=…)`",
    "path": "it is `prefix`",
    "exception_handlers": "write `@router.exception_handler(what)`",
    **dict.fromkeys(("response_headers", "response_cookies"), "write a `@router.on_response` hook"),
    **dict.fromkeys(("dto", "return_dto"), "annotate the type itself: of a result no other field is sent"),
    **dict.fromkeys(("opt", "cache", "security", "type_encoders"), "there is no such thing"),
    "route_handlers": "write `@router.get(…)` above each",
}
"""Of `Router()` and `include_router()`."""

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
    **dict.fromkeys(("max_digits", "decimal_places"), "write it in the type: `Annotated[Decimal, pydantic.Field(…)]`"),
    "discriminator": "write it in the type: `Annotated[A | B, pydantic.Field(discriminator=…)]`, or tags of Structs",
    "allow_inf_nan": "numbers that are not finite are refused always",
    "strict": "the type says what is read",
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
    return missed(owner, name, ATTRIBUTES)


def missed(owner: object, name: str, elsewhere: Mapping[str, str]) -> AttributeError:
    """The same of any object."""
    said, cls = elsewhere.get(name), type(owner).__name__
    words = "" if said is None else " yet" if said is _LATER else f": {said}"
    error = AttributeError(f"{cls!r} object has no attribute {name!r}{words}")
    error.name, error.obj = name, owner
    return error
