// Tells of each test that fails, and counts at the end.

export default async function* report(events) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of events) {
    if (type === "test:stderr" || type === "test:stdout") yield data.message;
    if (type === "test:pass" && data.details.type !== "suite")
      counts[data.skip === undefined ? "passed" : "skipped"] += 1;
    // What fails as it is listed to is no failure.
    if (type === "test:fail" && data.todo === undefined && data.details.type !== "suite") {
      counts.failed += 1;
      yield `failed: ${data.file}: ${data.name}\n${data.details.error?.cause?.stack ?? data.details.error}\n`;
    }
  }
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}
