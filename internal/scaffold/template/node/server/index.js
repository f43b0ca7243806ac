import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

import { searchFiles } from "./search.js";

const folder = process.argv[2];
if (!folder) {
  // Standard output belongs to MCP: whatever else there is to say goes to standard error.
  console.error("usage: node server/index.js FOLDER");
  process.exit(2);
}

const server = new McpServer({ name: "my-extension", version: "0.0.0-my-extension" });

server.registerTool(
  "search_files",
  {
    title: "Search files",
    description: "Finds the lines that contain a text, in the .txt and .md files of the chosen folder.",
    inputSchema: { query: z.string().min(1).max(200).describe("The text to look for; upper and lower case are the same") },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  async ({ query }) => {
    try {
      return { content: [{ type: "text", text: await searchFiles(folder, query) }] };
    } catch (err) {
      return { content: [{ type: "text", text: `The folder cannot be searched: ${err.message}` }], isError: true };
    }
  },
);

await server.connect(new StdioServerTransport());
