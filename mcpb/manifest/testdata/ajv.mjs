// Asks ajv, the validator of editors and of many JavaScript programs. Argument: the folder of ajv 8. Standard input: a
// JSON list of {"schema", "texts"}; standard output: for each a list of verdicts on the texts, which are JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const Ajv2020 = createRequire(join(resolve(process.argv[2]), "package.json"))("./dist/2020.js").default;
const ajv = new Ajv2020({ strictSchema: true, allowUnionTypes: true, strictRequired: false, strictTypes: false });
const asked = JSON.parse(readFileSync(0, "utf8"));
const answers = asked.map(({ schema, texts }) => {
  const validate = ajv.compile(schema);
  return texts.map((text) => validate(JSON.parse(text)));
});
process.stdout.write(JSON.stringify(answers));
