// A file of a form.

import { platform } from "./wire.ts";

/** A file that a client has sent. It is closed with its request. */
export class UploadFile {
  #content: Uint8Array | number | undefined;

  constructor(
    readonly filename: string | null,
    readonly contentType: string | null,
    readonly size: number,
    readonly headers: Headers,
    content: Uint8Array | number,
  ) {
    this.#content = content;
  }

  /** All of it, or a part. */
  async bytes(start = 0, end = this.size): Promise<Uint8Array> {
    const content = this.#content;
    if (content === undefined) throw new Error("the upload is closed");
    if (typeof content !== "number") return content.subarray(start, end);
    return platform().readFile(content, start, Math.max(0, Math.min(end, this.size) - start));
  }

  /** All of it as text in UTF-8. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** Piece by piece. */
  async *stream(size = 65_536): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < this.size; at += size) yield await this.bytes(at, at + size);
  }

  /** Lets its content go. */
  close(): void {
    const content = this.#content;
    this.#content = undefined;
    if (typeof content === "number") platform().closeFile(content);
  }
}
