// Starts programs of the machine.
import { execFileSync } from "node:child_process";
import { serve } from "./mcp.mjs";

serve({
  log: ({ folder }) => execFileSync("git", ["-C", folder, "log", "--format=%s"], { encoding: "utf8" }),
  list: ({ folder }) => execFileSync("ls", [folder], { encoding: "utf8" }),
});
