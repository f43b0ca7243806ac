// Keeps a database in the working folder by a module in machine code.
import { ClassicLevel } from "classic-level";
import { serve } from "./mcp.mjs";

serve({
  where: () => process.execPath,
  keep: async ({ text }) => {
    const db = new ClassicLevel("numbers", { valueEncoding: "json" });
    await db.batch(Array.from({ length: 1000 }, (_, i) => ({ type: "put", key: `${text}-${i}`, value: i })));
    let sum = 0;
    for await (const n of db.values()) sum += n;
    await db.close();
    return sum;
  },
});
