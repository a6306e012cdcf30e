// The test client: cookies, redirects, and how a request is said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Reply, Spikard, TestClient } from "@spikard/node";

const to = (location: string, status: number) => new Reply(undefined, { status, headers: { location } });
const setting = (...cookies: string[]) =>
  new Reply("set", { headers: cookies.map((cookie) => ["set-cookie", cookie] as const) });

test("cookies are kept, and go where their path and age let them", async () => {
  const app = new Spikard()
    .get("/log-in", () => setting("session=abc=; Path=/; HttpOnly; Secure", "theme=dark"))
    .get("/docs/open", () =>
      setting("page=1", "lang=en; path=/docs", "gone=1; Max-Age=0", "old=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    )
    .get("/docs/close", () => setting("page=; Max-Age=-1"))
    .get("/log-out", () => setting("session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"))
    .get("/{path:path}", ({ request }) => request.headers.get("cookie") ?? "none");
  await using client = new TestClient(app);
  const sent = async (path: string) => (await client.get(path)).text();
  assert.equal(await sent("/a"), "none");
  await client.get("/log-in");
  assert.equal(await sent("/a?b=/docs"), "session=abc=; theme=dark");
  await client.get("/docs/open");
  assert.equal(await sent("/docs/x"), "page=1; lang=en; session=abc=; theme=dark");
  assert.equal(await sent("/docsy"), "session=abc=; theme=dark");
  await client.get("/docs/close");
  await client.get("/log-out");
  assert.equal(await sent("/docs"), "lang=en; theme=dark");
  client.cookies.set("theme", "light");
  assert.deepEqual([...client.cookies].sort(), [
    ["lang", "en"],
    ["theme", "light"],
  ]);
  assert.equal((await client.get("/a", { cookies: { a: "2" } })).text(), "theme=light; a=2");
  assert.equal((await client.get("/a", { headers: { cookie: "own=1" } })).text(), "own=1");
  assert.equal(client.cookies.get("theme"), "light");
  client.cookies.delete("theme");
  assert.equal(await sent("/a"), "none");
});

test("a cookie is written as it was said, and its value read as it was set", async () => {
  const values = ["", "a b", 'say "hi"; x,\\y', '{"a":[1]}', "é\r\nset-cookie: b=2"];
  const app = new Spikard()
    .get("/all", () =>
      new Reply("x")
        .setCookie("plain", "1")
        .setCookie("all", "2", {
          maxAge: 60,
          expires: new Date("2030-01-02T03:04:05Z"),
          domain: "example.com",
          path: "/x",
          sameSite: "none",
          secure: true,
          httpOnly: true,
          partitioned: true,
        })
        .setCookie("bare", "3", { path: null, sameSite: null, secure: false })
        .clearCookie("gone", { path: "/y" }),
    )
    .get("/set/{at:int}", ({ params }) => new Reply("x").setCookie("value", values[params.at] as string))
    .get("/read", ({ cookies }) => cookies["value"])
    .get("/hook", { hooks: { onResponse: [(response) => void response.setCookie("seen", "yes")] } }, () => 1);
  await using client = new TestClient(app);
  assert.deepEqual((await client.get("/all")).headers.getSetCookie(), [
    "plain=1; Path=/; SameSite=Lax",
    "all=2; Max-Age=60; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Domain=example.com; Path=/x; SameSite=None; Secure; HttpOnly; Partitioned",
    "bare=3",
    "gone=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/y; SameSite=Lax",
  ]);
  for (const [at, value] of values.entries()) {
    assert.deepEqual((await client.get(`/set/${at}`)).headers.getSetCookie().length, 1);
    assert.equal((await client.get("/read")).text(), value);
  }
  assert.match((await client.get("/hook")).headers.get("set-cookie") ?? "", /^seen=yes;/);
});

test("what would end a part of a cookie is refused by its name", () => {
  const said = (name: string, value: string, options: object = {}) =>
    assert.throws(() => new Reply().setCookie(name, value, options), { message: words.shift() as string });
  const words = [
    'the name of a cookie is a token, got "a b"',
    'the value of a cookie is text of ISO 8859-1, got "€": percent-encode it',
    'the path of a cookie holds a character that it must not hold, got "/;"',
    'the expires of a cookie is a date as HTTP writes it, got "Invalid Date"',
    'same_site of a cookie: expected lax, strict or none, got "x"',
    'max_age of a cookie: invalid type: string "NaN", expected i64',
    'a cookie has no option "max": maxAge, expires, domain, path, sameSite, secure, httpOnly, partitioned',
  ];
  said("a b", "");
  said("a", "€");
  said("a", "", { path: "/;" });
  said("a", "", { expires: new Date("x") });
  said("a", "", { sameSite: "x" });
  said("a", "", { maxAge: Number.NaN });
  said("a", "", { max: 1 });
});

test("redirects are followed as browsers do, unless they are not to be", async () => {
  const seen = ({ request }: { request: { method: string; headers: Headers; text(): Promise<string> } }) =>
    request.text().then((text) => [request.method, request.headers.get("content-type"), text, 200]);
  const app = new Spikard()
    .get("/seen", seen)
    .post("/seen", seen)
    .put("/seen", seen)
    .get("/relative/a", () => to("b?c=1", 302))
    .get("/relative/b", ({ query }) => query.get("c"))
    .get("/round", () => to("/round", 307))
    .get(
      "/log-in",
      () => new Reply(undefined, { status: 303, headers: { location: "/me", "set-cookie": "user=ada; Path=/" } }),
    )
    .get("/me", ({ cookies }) => cookies["user"]);
  for (const status of [301, 302, 303, 307, 308]) {
    app.post(`/${status}`, () => to("/seen", status));
    app.put(`/${status}`, () => to("http://localhost/seen", status));
  }
  await using client = new TestClient(app);
  const body = { json: { a: 1 } };
  const same = ["application/json", '{"a":1}', 200];
  for (const status of [301, 302, 303]) {
    assert.deepEqual((await client.post(`/${status}`, body)).json(), ["GET", null, "", 200]);
  }
  for (const status of [307, 308]) assert.deepEqual((await client.post(`/${status}`, body)).json(), ["POST", ...same]);
  assert.deepEqual((await client.put("/301", body)).json(), ["PUT", ...same]);
  assert.deepEqual((await client.put("/302", body)).json(), ["GET", null, "", 200]);
  const answer = await client.get("/relative/a");
  assert.deepEqual(
    [answer.text(), answer.target, answer.history.map(({ status }) => status)],
    ["1", "/relative/b?c=1", [302]],
  );
  assert.equal((await client.get("/log-in")).text(), "ada");
  await assert.rejects(client.get("/round"), /^Error: GET \/round was redirected 20 times$/);
  assert.equal((await client.get("/log-in", { followRedirects: false })).status, 303);
  await using still = new TestClient(app, { followRedirects: false });
  assert.equal((await still.get("/log-in")).status, 303);
  assert.equal((await still.get("/log-in", { followRedirects: true })).text(), "ada");
});

test("the query is said by either name, and what is no option is refused", async () => {
  const app = new Spikard().get("/", ({ request }) => request.queryString);
  await using client = new TestClient(app);
  assert.equal((await client.get("/?a=0", { query: { a: "1 2" }, params: [["b", "ü"]] })).text(), "a=0&a=1+2&b=%C3%BC");
  await assert.rejects(
    client.post("/", { data: { a: 1 } } as object),
    /^TypeError: a request has no option "data": headers, /,
  );
});
