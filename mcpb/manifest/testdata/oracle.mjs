// Asks the reference implementation. Arguments: the "dist" folder of @anthropic-ai/mcpb. Standard input: a JSON list of
// {"kind", "text"}; standard output: a JSON list of answers in the same order, verdicts being true or false.
//   manifest  the strict schema of the manifest's version, as "mcpb validate" applies it, icon files aside
//   loose     the loose schema
//   issues    what "mcpb validate" prints of a manifest, as a list of lines; null when it is no JSON
//   email     zod's e-mail check
//   url       zod's URL check, which is new URL()
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const dist = process.argv[2];
const load = (file) => import(pathToFileURL(join(dist, file)));
const { z } = createRequire(join(dist, "index.js"))("zod");
const { MANIFEST_SCHEMAS, MANIFEST_SCHEMAS_LOOSE } = await load("shared/constants.js");
const { getManifestVersionFromRawData } = await load("shared/manifestVersionResolve.js");

function manifest(schemas, text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    return false;
  }
  const version = getManifestVersionFromRawData(data);
  return version ? schemas[version].safeParse(data).success : false;
}

function issues(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  const version = getManifestVersionFromRawData(data);
  if (!version) return ["no version"];
  const result = MANIFEST_SCHEMAS[version].safeParse(data);
  if (result.success) return [];
  return result.error.issues.map((issue) => JSON.stringify(issue.path.map(String)) + " " + issue.message);
}

const ask = {
  issues,
  manifest: (text) => manifest(MANIFEST_SCHEMAS, text),
  loose: (text) => manifest(MANIFEST_SCHEMAS_LOOSE, text),
  email: (text) => z.string().email().safeParse(text).success,
  url: (text) => z.string().url().safeParse(text).success,
};
const questions = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(questions.map((q) => ask[q.kind](q.text))));
