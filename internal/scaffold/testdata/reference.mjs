// Runs the reference's `init -y` in every folder named on standard input, in one process, and writes for each what
// became of it: the manifest as base64, or null when it ended with an error. Argument: the reference's dist folder.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { initExtension } = await import(pathToFileURL(join(process.argv[2], "cli", "init.js")).href);
const print = console.log;
console.log = () => {};
const out = [];
for (const dir of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    await initExtension(dir, true);
  } catch {
    // It leaves no manifest, which is what is looked at.
  }
  const file = join(dir, "manifest.json");
  out.push(existsSync(file) ? readFileSync(file).toString("base64") : null);
}
print(JSON.stringify(out));
