// A server over standard input and output: tools are functions from arguments to a text, and get what they need from npm
// themselves.
import { createInterface } from "node:readline";

export function serve(tools) {
  const list = Object.keys(tools).map((name) => ({ name, inputSchema: { type: "object" } }));
  const call = async ({ name, arguments: args }) => {
    try {
      return { content: [{ type: "text", text: String(await tools[name](args ?? {})) }] };
    } catch (e) {
      return { content: [{ type: "text", text: `${e} ${e.cause ?? ""}` }], isError: true };
    }
  };
  const methods = {
    initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "tools", version: "1" } }),
    "tools/list": () => ({ tools: list }),
    "tools/call": call,
  };
  createInterface({ input: process.stdin }).on("line", async (line) => {
    const { id, method, params } = JSON.parse(line);
    if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result: (await methods[method]?.(params)) ?? {} }));
  });
}
