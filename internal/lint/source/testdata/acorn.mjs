// Gives what acorn finds in JavaScript files: one JSON line for each name read from standard input, null where acorn
// cannot parse it.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const require = createRequire(process.argv[2] + "/");
const { parse } = require("acorn");
const { full } = require("acorn-walk");
const globals = new Set(["fetch", "WebSocket", "EventSource", "XMLHttpRequest"]);

function facts(file) {
  const text = readFileSync(file, "utf8");
  let tree;
  for (const sourceType of ["module", "script"]) {
    try {
      tree = parse(text, { ecmaVersion: "latest", sourceType, allowHashBang: true, allowReturnOutsideFunction: true });
      break;
    } catch {}
  }
  if (!tree) return null;
  const imports = [], calls = [];
  const constant = (n) => (n?.type === "Literal" && typeof n.value === "string" ? n.value
    : n?.type === "TemplateLiteral" && n.quasis.length === 1 ? n.quasis[0].value.cooked : undefined);
  full(tree, (n) => {
    let module;
    if (["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration", "ImportExpression"].includes(n.type)) module = constant(n.source);
    if (n.type === "CallExpression" && ["require", "__require"].includes(n.callee.name ?? n.callee.property?.name)) module = constant(n.arguments[0]);
    if (module !== undefined) imports.push(module);
    if (["CallExpression", "NewExpression"].includes(n.type)) {
      const c = n.callee;
      const of = c.type === "MemberExpression" && !c.computed && c.object.type === "Identifier" ? c.object.name : "";
      if (c.type === "Identifier" && globals.has(c.name) && text[c.end] !== "?") calls.push(c.name);
      if (["globalThis", "window", "global"].includes(of) && globals.has(c.property.name)) calls.push(c.property.name);
    }
  });
  return { imports: imports.sort(), calls: calls.sort() };
}

for await (const file of createInterface({ input: process.stdin })) console.log(JSON.stringify(facts(file)));
