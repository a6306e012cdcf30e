// The database: where it is, its pool, and the migrations that bring it to the state that the app expects.

import { readdir, readFile } from "node:fs/promises";
import { join, parse } from "node:path";
import pg from "pg";

export const MIGRATIONS = join(import.meta.dirname, "migrations");
const LOCK = 7_238_431; // any number that is the same in every worker

pg.types.setTypeParser(pg.types.builtins.INT8, Number); // ids stay below 2^53

/** From the environment, else a server on this machine. */
export function databaseUrl(): string {
  return process.env["DATABASE_URL"] ?? "postgresql://localhost/books";
}

/** The connections of one worker; closed when it stops. */
export async function* pool({ deps: { databaseUrl } }: { deps: { databaseUrl: string } }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  pool.on("error", (error) => console.error("an idle connection broke off:", error.message));
  try {
    yield pool;
  } finally {
    await pool.end();
  }
}

/** Runs work in a transaction on a connection of its own; what it throws takes everything back. */
export async function transaction<Made>(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<Made>): Promise<Made> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const made = await work(client);
    await client.query("commit");
    return made;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

/**
 * Applies, in the order of their names, the files that the database has not seen, and answers which those were. Workers that
 * start at the same time wait for each other; a file that fails leaves nothing behind.
 */
export async function migrate(url: string): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    return await transaction(pool, async (client) => {
      await client.query("select pg_advisory_xact_lock($1)", [LOCK]);
      await client.query("create table if not exists migrations (name text primary key)");
      const { rows } = await client.query<{ name: string }>("select name from migrations");
      const known = new Set(rows.map(({ name }) => name));
      const names = (await readdir(MIGRATIONS)).map((file) => parse(file).name).sort();
      const applied = names.filter((name) => !known.has(name));
      for (const name of applied) {
        await client.query(await readFile(join(MIGRATIONS, `${name}.sql`), "utf8"));
        await client.query("insert into migrations values ($1)", [name]);
      }
      return applied;
    });
  } finally {
    await pool.end();
  }
}
