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

/** `file:line`; undefined where the engine does not tell. */
export function place(): string | undefined {
  const found = frames().find(([file]) => folder(file) !== own);
  if (!found) return undefined;
  const [file, line] = found;
  return `${file.startsWith("file://") ? decodeURIComponent(new URL(file).pathname) : file}:${line}`;
}
