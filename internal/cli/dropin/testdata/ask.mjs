// Asks one function of the reference many questions in one process. Arguments: the folder of @anthropic-ai/mcpb, the
// function's name, a file with a JSON list of questions. Standard output: a JSON list of {ok, stdout, stderr}.
//   validateManifest   a question is a path
//   packExtension      a question is [folder, bundle]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , root, name, file] = process.argv;
const load = (path) => import(pathToFileURL(join(root, "dist", path)));
const { validateManifest } = await load("node/validate.js");
const { packExtension } = await load("cli/pack.js");
const ask = {
  validateManifest,
  packExtension: ([extensionPath, outputPath]) => packExtension({ extensionPath, outputPath, silent: true }),
};

const answers = [];
for (const question of JSON.parse(readFileSync(file, "utf8"))) {
  const answer = { stdout: "", stderr: "" };
  console.log = (text) => (answer.stdout += text + "\n");
  console.error = (text) => (answer.stderr += text + "\n");
  answer.ok = await ask[name](question);
  answers.push(answer);
}
process.stdout.write(JSON.stringify(answers));
