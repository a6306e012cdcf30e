// What sets cookies. How a field is written, the core says.

import { snake } from "./config.ts";
import { checkedNames } from "./errors.ts";
import { platform } from "./wire.ts";

/** What is said of a cookie beside its name and value. */
export interface CookieOptions {
  /** Seconds. */
  maxAge?: number;
  expires?: Date;
  domain?: string;
  /** `/` unless said; null leaves it out. */
  path?: string | null;
  /** `lax` unless said; null leaves it out. */
  sameSite?: "lax" | "strict" | "none" | null;
  secure?: boolean;
  httpOnly?: boolean;
  partitioned?: boolean;
}

const OPTIONS = "maxAge expires domain path sameSite secure httpOnly partitioned";

/** A response that can set cookies. */
export abstract class SetsCookies {
  abstract readonly headers: Headers;

  /** Adds a `Set-Cookie` field; earlier ones stay. A value of any text of ISO 8859-1 is read as it was set. */
  setCookie(name: string, value: string, options: CookieOptions = {}): this {
    checkedNames("a cookie", options, OPTIONS);
    const expires = options.expires && new Date(options.expires).toUTCString();
    const cookie = snake({ ...options, expires, name, value });
    this.headers.append("set-cookie", platform().setCookie(JSON.stringify(cookie)));
    return this;
  }

  /** Makes the client forget a cookie; path and domain must be those it was set with. */
  clearCookie(name: string, options: Omit<CookieOptions, "maxAge" | "expires"> = {}): this {
    return this.setCookie(name, "", { ...options, maxAge: 0, expires: new Date(0) });
  }
}
