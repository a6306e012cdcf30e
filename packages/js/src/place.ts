// Where user code has called the package.

/** The file and the line of each call, the last first. */
function frames(): [file: string, line: string][] {
  const found = (new Error().stack ?? "").matchAll(/^\s*at (?:async )?(?:[^/\n]*? \()?(.+?):(\d+)(?::\d+)?\)?$/gm);
  return [...found].map(([, file, line]) => [file as string, line as string]);
}

function folder(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

const own = folder(frames()[0]?.[0] ?? "");

/** What was thrown, without our own part of its stack. */
export function trimmed(thrown: unknown): unknown {
  const isOurs = (line: string) => /^\s+at /.test(line) && (line.includes(own) || line.includes("node:"));
  const lines = thrown instanceof Error ? String(thrown.stack).split("\n") : [];
  if (lines.length) Reflect.set(thrown as object, "stack", lines.filter((line) => !isOurs(line)).join("\n"));
  return thrown;
}

/** `file:line`; undefined where the engine does not tell. */
export function place(): string | undefined {
  const found = frames().find(([file]) => folder(file) !== own);
  if (!found) return undefined;
  const [file, line] = found;
  return `${file.startsWith("file://") ? decodeURIComponent(new URL(file).pathname) : file}:${line}`;
}
