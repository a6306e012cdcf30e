// Several processes behind one socket: their end, their replacement, and what a client sees of it.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { answered, Load, type Program, start, until, write } from "./program.ts";

const APP = `
app.get("/pid", () => String(process.pid));
app.get("/brief", () => "brief");
app.get("/slow", () => new Promise((resolve) => setTimeout(resolve, 700, "slow")));
app.get("/forever", () => new Promise(() => undefined));
await app.run({ workers: 2 });
`;

const skip = process.platform === "win32" && "there is no supervisor on Windows";
const twoWorkers = () => start(APP, /with 2 workers/);

/** Waits until so many workers have answered that are not known. */
async function pids({ location }: Program, count: number, known: number[] = []): Promise<number[]> {
  const found = new Set<number>();
  await until(async () => {
    const pid = Number(await answered(`${location}/pid`));
    if (!known.includes(pid)) found.add(pid);
    return found.size >= count;
  });
  return [...found].sort((one, other) => one - other);
}

/** The workers of its supervisor: those of all its threads. */
const children = ({ child }: Program) =>
  readdirSync(`/proc/${child.pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${child.pid}/task/${thread}/children`, "utf8").split(" "))
    .flatMap((pid) => (pid ? [Number(pid)] : []))
    .sort((one, other) => one - other);

const isGone = (pid: number) =>
  !existsSync(`/proc/${pid}/stat`) || /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

test("what workers write, access log included, is seen", { skip }, async () => {
  const text = `app.get("/said", () => { console.error("said by", process.pid); return "x"; });
await app.run({ workers: 2, accessLog: true });`;
  const program = await start(text, /with 2 workers/);
  await answered(`${program.location}/said`);
  await until(() => /^said by \d+$/m.test(program.said()) && / GET \/said 200 1 B /.test(program.said()));
});

test("a worker that is killed takes only its own requests with it", { skip }, async () => {
  const program = await twoWorkers();
  const [killed, kept] = (await pids(program, 2)) as [number, number];
  await using load = new Load(`${program.location}/brief`);
  await load.goesOn();
  process.kill(killed, "SIGKILL");
  const [made] = (await pids(program, 1, [killed, kept])) as [number];
  await load.goesOn();
  assert.equal(load.refused, 0);
  assert.ok(load.broken <= 8, `${load.broken} broken`);
  assert.deepEqual(
    children(program),
    [kept, made].sort((one, other) => one - other),
  );
  assert.match(program.said(), new RegExp(`worker ${killed} was ended by signal 9, another is started`));
});

test("SIGHUP replaces all workers and loses no request", { skip }, async () => {
  const program = await twoWorkers();
  const before = await pids(program, 2);
  await using load = new Load(`${program.location}/brief`);
  await load.goesOn();
  program.child.kill("SIGHUP");
  await until(() => before.every(isGone));
  await load.goesOn();
  assert.deepEqual([load.refused, load.broken], [0, 0]);
  assert.equal(children(program).length, 2);
});

test("SIGTERM under load finishes what is in flight, and the status is 0", { skip }, async () => {
  const program = await twoWorkers();
  await pids(program, 2);
  await using load = new Load(`${program.location}/brief`);
  await load.goesOn();
  const slow = Array.from({ length: 8 }, () => answered(`${program.location}/slow`));
  await sleep(200); // until they have been begun
  program.child.kill("SIGTERM");
  assert.deepEqual(await Promise.all(slow), Array(8).fill("slow"));
  assert.equal(await program.ended, 0, program.said());
  // One that was on its way to a connection which closed, idle, may be lost; the server has not begun it.
  assert.ok(load.broken <= 8 * 2, `${load.broken} broken`);
});

test("a second signal cuts off what does not end, and the status is 1", { skip }, async () => {
  const program = await twoWorkers();
  const workers = await pids(program, 2);
  const forever = answered(`${program.location}/forever`).catch(() => "cut off");
  await sleep(200);
  program.child.kill("SIGINT");
  await sleep(200);
  program.child.kill("SIGINT");
  assert.equal(await program.ended, 1);
  assert.equal(await forever, "cut off");
  assert.ok(workers.every(isGone));
});

test("no worker outlives its supervisor", { skip }, async () => {
  const program = await twoWorkers();
  const workers = await pids(program, 2);
  program.child.kill("SIGKILL");
  await until(() => workers.every(isGone));
});

test("a worker ends with its program's own status, and another takes its place", { skip }, async () => {
  const program = await start(`app.get("/die", () => process.exit(3));\n${APP}`, /with 2 workers/);
  const before = await pids(program, 2);
  await answered(`${program.location}/die`).catch(() => undefined);
  assert.equal((await pids(program, 1, before)).length, 1);
  assert.match(program.said(), /ended with status 3, another is started/);
  program.child.kill("SIGTERM");
  assert.equal(await program.ended, 0, program.said());
});

test("a change of a source file replaces the workers, and one that cannot start replaces none", { skip }, async () => {
  // A link back to its own folder, and one to nowhere, are not followed.
  const links = `import { symlinkSync } from "node:fs";
for (const to of [".", "nowhere"]) try { symlinkSync(to, "link-" + to.length); } catch {}`;
  const text = (said: string) => `${links}\napp.get("/brief", () => ${said});\nawait app.run({ reload: true });`;
  const program = await start(text('"one"'), /Ctrl-C/);
  const brief = () => answered(`${program.location}/brief`);
  assert.equal(await brief(), "one");
  write(program.file, text('"two"'));
  await until(async () => (await brief()) === "two");
  assert.match(program.said(), /^Spikard: app\.mjs changed, the workers are replaced$/m);
  write(program.file, "no program");
  await until(() => /SyntaxError/.test(program.said()));
  assert.equal(await brief(), "two");
  const more = join(dirname(program.file), "more");
  mkdirSync(more);
  writeFileSync(join(more, "said.mjs"), 'export const said = "three";');
  write(program.file, `import { said } from "./more/said.mjs";\n${text("said")}`);
  await until(async () => (await brief()) === "three");
  writeFileSync(join(more, "said.mjs"), 'export const said = "four";');
  await until(async () => (await brief()) === "four");
  assert.match(program.said(), /more\/said\.mjs changed/);
  program.child.kill("SIGINT");
  assert.equal(await program.ended, 0, program.said());
});
