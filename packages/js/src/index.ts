// The DSL: everything that a package for one platform hands on.

export { Spikard } from "./app.ts";
export { TestClient, type TestInit, TestResponse } from "./client.ts";
export type { Config } from "./config.ts";
export { Cookies } from "./cookies.ts";
export type { ProvideOptions } from "./dependencies.ts";
export { type FieldError, HTTPError, type HTTPErrorOptions, ListenError, SpecError } from "./errors.ts";
export type { Report } from "./host.ts";
export type { Context } from "./inputs.ts";
export { Request } from "./request.ts";
export { FileResponse, MadeResponse, Reply, StreamingResponse } from "./response.ts";
export { type ErrorHandler, type RequestHook, type ResponseHook, type RouteOptions, Router } from "./router.ts";
export type { AnySchema, Infer, JsonSchema, StandardSchema } from "./schema.ts";
export { background } from "./scope.ts";
export { type Drained, Server } from "./server.ts";
export type { CookieOptions } from "./set_cookie.ts";
export { UploadFile } from "./upload.ts";
