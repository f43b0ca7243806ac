import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

let folder, client;

// The server is started as a host starts it, and spoken to by a real client.
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "my-extension-"));
  await writeFile(join(folder, "a.txt"), "first\nsecond Word\n");
  await writeFile(join(folder, "b.md"), "a word\n");
  await writeFile(join(folder, "c.bin"), "word\n");
  client = new Client({ name: "test", version: "1.0.0" });
  const server = join(import.meta.dirname, "..", "server", "index.js");
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [server, folder] }));
});

after(async () => {
  await client?.close();
  await rm(folder, { recursive: true });
});

const search = (query) => client.callTool({ name: "search_files", arguments: { query } });

test("lists its tool", async () => {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((t) => t.name), ["search_files"]);
});

test("finds lines in text files, whatever their case", async () => {
  const { content } = await search("WORD");
  assert.equal(content[0].text, "a.txt:2: second Word\nb.md:1: a word");
});

test("says when there is nothing", async () => {
  assert.equal((await search("absent")).content[0].text, "Nothing found.");
});

test("follows no link out of the folder", { skip: process.platform === "win32" && "making links needs a right there" }, async () => {
  await symlink(join(import.meta.dirname, "server.test.js"), join(folder, "link.txt"));
  assert.equal((await search("import assert")).content[0].text, "Nothing found.");
});

test("refuses an empty query", async () => {
  assert.equal((await search("")).isError, true);
});
