// A file of a form.

import { platform } from "./wire.ts";

/** Bytes, or the open file that holds them; nothing when they are closed. */
interface Content {
  held: Uint8Array | number | undefined;
}

/** A file that a client has sent: a `File` whose content may be on disk. It is closed with its request. */
export class UploadFile implements File {
  readonly lastModified = 0;
  readonly webkitRelativePath = "";
  readonly #content: Content;
  readonly #from: number;

  constructor(
    readonly filename: string | null,
    readonly contentType: string | null,
    readonly size: number,
    readonly headers: Headers,
    content: Uint8Array | number | Content,
    from = 0,
  ) {
    this.#content = typeof content === "number" || content instanceof Uint8Array ? { held: content } : content;
    this.#from = from;
  }

  get name(): string {
    return this.filename ?? "";
  }

  get type(): string {
    return this.contentType ?? "";
  }

  /** All of it, or a part. */
  async bytes(start = 0, end = this.size): Promise<Uint8Array<ArrayBuffer>> {
    const { held } = this.#content;
    if (held === undefined) throw new Error("the upload is closed");
    const [from, until] = [this.#from + start, this.#from + Math.min(end, this.size)];
    if (typeof held !== "number") return held.subarray(from, until) as Uint8Array<ArrayBuffer>;
    return (await platform().readFile(held, from, Math.max(until - from, 0))) as Uint8Array<ArrayBuffer>;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).slice().buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** Piece by piece. */
  stream(size = 65_536): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = 0;
    return new ReadableStream({
      pull: async (reader) => {
        if (at < this.size) reader.enqueue(await this.bytes(at, at + size));
        at += size;
        if (at >= this.size) reader.close();
      },
    });
  }

  /** A part of it, which is closed with it. */
  slice(start = 0, end = this.size, type = ""): UploadFile {
    const within = (at: number) => Math.min(at < 0 ? Math.max(this.size + at, 0) : at, this.size);
    const size = Math.max(within(end) - within(start), 0);
    return new UploadFile(this.filename, type, size, this.headers, this.#content, this.#from + within(start));
  }

  /** Lets its content go. */
  close(): void {
    const { held } = this.#content;
    this.#content.held = undefined;
    if (typeof held === "number") platform().closeFile(held);
  }
}

// What schema libraries ask of a file is that it is one. Nothing of `File` itself is inherited: its content is elsewhere.
Object.setPrototypeOf(UploadFile.prototype, File.prototype);
