// Fetches pages: as a program does that knows of proxies, and as one that does not.
import * as undici from "undici";
import { serve } from "./mcp.mjs";

const dispatcher = new undici.EnvHttpProxyAgent();
serve({
  fetch: async ({ url }) => (await undici.fetch(url, { dispatcher })).text(),
  ignorant: async ({ url }) => (await fetch(url)).text(),
});
