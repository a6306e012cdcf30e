// Books in PostgreSQL: list, read, create, change, delete. The pool is a dependency that each worker makes once.

import { HTTPError, Router, Spikard } from "@spikard/node";
import pg from "pg";
import * as z from "zod";
import { databaseUrl, migrate, pool, transaction } from "./database.ts";

const text = z.string().min(1).max(200);
const year = z.int().min(-3000).max(3000);
const isbn = z.string().regex(/^[0-9]{13}$/);

/** What a client sends. */
const NewBook = z.object({
  title: text,
  author: text,
  year: year.nullable().default(null),
  isbn: isbn.nullable().default(null),
});

/** The members that are to be changed; one that is absent stays as it is. */
const Change = z.object({ title: text, author: text, year: year.nullable(), isbn: isbn.nullable() }).partial();

/** In pages: `after` is the id of the last book of the page before. */
const Page = z.object({
  author: z.string().optional(),
  after: z.int().default(0),
  limit: z.int().min(1).max(100).default(20),
});

/** What a client gets. */
interface Book extends z.infer<typeof NewBook> {
  id: number;
  added: Date;
}

const books = new Router<{ pool: pg.Pool }>("/books");

books.get("", { query: Page, deps: ["pool"] }, async ({ query: { author, after, limit }, deps: { pool } }) => {
  const select = "select * from books where id > $1 and ($2::text is null or author = $2) order by id limit $3";
  return (await pool.query<Book>(select, [after, author, limit])).rows;
});

books.get("/{id:int}", { deps: ["pool"] }, async ({ params: { id }, deps: { pool } }) => {
  const { rows } = await pool.query<Book>("select * from books where id = $1", [id]);
  return found(rows[0], id);
});

books.post("", { body: NewBook, deps: ["pool"], status: 201 }, async ({ body, deps: { pool } }) => {
  const insert = "insert into books (title, author, year, isbn) values ($1, $2, $3, $4) returning *";
  const { rows } = await unique(pool.query<Book>(insert, [body.title, body.author, body.year, body.isbn]));
  return rows[0];
});

books.patch("/{id:int}", { body: Change, deps: ["pool"] }, ({ params: { id }, body, deps: { pool } }) =>
  transaction(pool, async (client) => {
    const { rows } = await client.query<Book>("select * from books where id = $1 for update", [id]);
    const book = { ...found(rows[0], id), ...body };
    const update = "update books set title = $2, author = $3, year = $4, isbn = $5 where id = $1";
    await unique(client.query(update, [id, book.title, book.author, book.year, book.isbn]));
    return book;
  }),
);

books.delete("/{id:int}", { deps: ["pool"], status: 204 }, async ({ params: { id }, deps: { pool } }) => {
  const { rows } = await pool.query<Book>("delete from books where id = $1 returning *", [id]);
  found(rows[0], id);
});

/** The book of a row, or a 404. */
function found(book: Book | undefined, id: number): Book {
  if (!book) throw new HTTPError(404, `there is no book ${id}`);
  return book;
}

/** Two books with one number are a 409. */
async function unique<Made>(change: Promise<Made>): Promise<Made> {
  try {
    return await change;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === "23505")) throw error;
    throw new HTTPError(409, "there is a book with this ISBN already", { cause: error });
  }
}

export const app = new Spikard()
  .provide("databaseUrl", { scope: "singleton" }, databaseUrl)
  .provide("pool", { scope: "singleton", deps: ["databaseUrl"] }, pool)
  .onStartup(() => migrate(databaseUrl()))
  .include(books);
