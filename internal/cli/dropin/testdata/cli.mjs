// Runs the reference's command line many times in one process: to start node for each would take minutes. Arguments: the
// folder of @anthropic-ai/mcpb, a file with a JSON list of {"dir", "args"}. Standard output: a JSON list of
// {"code", "stdout", "stderr"}.
//
// The program is its own cli.js, loaded anew each time. What would end the process ends the run; a run is over when
// nothing is left to wait for.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , root, file] = process.argv;
const cli = pathToFileURL(join(root, "dist", "cli", "cli.js"));
const calls = JSON.parse(readFileSync(file, "utf8"));
const results = [];
const write = process.stdout.write.bind(process.stdout);
const exit = process.exit.bind(process);
let current; // the result of the run that is going on
let over; // it has ended as far as the program knows

class Exit extends Error {}

process.exit = (code) => {
  if (!over) current.code = code ?? 0;
  over = true;
  throw new Exit();
};
for (const name of ["stdout", "stderr"]) {
  process[name].write = (text) => {
    if (!over) current[name] += text;
    return true;
  };
}
const fail = (error) => {
  if (error instanceof Exit || over) return;
  current.stderr += `${error?.stack}\n`;
  current.code = 1;
  over = true;
};
process.on("unhandledRejection", fail);
process.on("uncaughtException", fail);

process.on("beforeExit", next);
function next() {
  if (current) results.push(current);
  if (results.length === calls.length) {
    over = false;
    write(JSON.stringify(results), () => exit(0));
    return;
  }
  const { dir, args } = calls[results.length];
  current = { code: 0, stdout: "", stderr: "" };
  over = false;
  process.chdir(dir);
  process.argv = [process.argv[0], "mcpb", ...(args ?? [])];
  import(`${cli}?${results.length}`).catch(fail);
}
next();
