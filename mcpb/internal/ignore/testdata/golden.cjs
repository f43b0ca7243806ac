// Writes golden.json: what npm's ignore, which the reference packs with, says of every probe in probes.json.
//
//   make deps && cd mcpb/internal/ignore/testdata && NODE_PATH=../../../../testdata/npm/node_modules node golden.cjs
//
// A probe is the lines of an ignore file and paths; a path with a slash at its end is a folder.
const fs = require("fs");
const ignore = require("ignore");

const out = [];
for (const { lines, paths } of JSON.parse(fs.readFileSync("probes.json", "utf8"))) {
  const list = ignore().add(lines);
  const ignored = {};
  for (const path of paths) ignored[path] = list.ignores(path);
  out.push({ lines, ignored });
}
fs.writeFileSync("golden.json", "[\n" + out.map((p) => "  " + JSON.stringify(p)).join(",\n") + "\n]\n");
