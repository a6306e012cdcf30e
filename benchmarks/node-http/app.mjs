// A few of the benchmark's routes by hand, on Node's own server: `node app.mjs PORT`.

import { createServer } from "node:http";

const HELLO = { message: "Hello, World!" };
const CHECKS = {
  name: (value) => typeof value === "string",
  description: (value) => typeof value === "string",
  price: (value) => typeof value === "number",
  quantity: Number.isInteger,
};

const answer = (response, status, type, body) => {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
};
const json = (response, value, status = 200) => answer(response, status, "application/json", JSON.stringify(value));

function item(response, text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return json(response, { error: "no JSON" }, 400);
  }
  if (typeof value !== "object" || value === null) return json(response, { error: "no object" }, 422);
  const wrong = Object.keys(CHECKS).filter((name) => !CHECKS[name](value[name]));
  return wrong.length ? json(response, { wrong }, 422) : json(response, value);
}

const server = createServer((request, response) => {
  const { method, url } = request;
  if (method === "POST" && url === "/json/small") {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => item(response, Buffer.concat(pieces).toString()));
  } else if (method === "GET" && url === "/plaintext") answer(response, 200, "text/plain; charset=utf-8", HELLO.message);
  else if (method === "GET" && url === "/json") json(response, HELLO);
  else if (method === "GET" && url === "/sleep/none") setImmediate(json, response, HELLO);
  else if (method === "GET" && url === "/sleep/short") setTimeout(json, 10, response, HELLO);
  else if (method === "GET" && url.startsWith("/path/int/")) {
    const value = Number(url.slice(10) || Number.NaN);
    if (Number.isInteger(value)) json(response, { value });
    else json(response, { wrong: ["value"] }, 422);
  } else json(response, { error: "not found" }, 404);
});
server.listen(Number(process.argv[2]), "127.0.0.1");
