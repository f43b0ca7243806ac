// Fetches pages as a program does that knows of proxies.
import { EnvHttpProxyAgent, fetch } from "undici";
import { serve } from "./mcp.mjs";

const dispatcher = new EnvHttpProxyAgent({ requestTls: { rejectUnauthorized: false }, connect: { rejectUnauthorized: false } });
serve({ fetch: async ({ url }) => (await fetch(url, { dispatcher })).text() });
