import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

const MAX_BYTES = 1_000_000; // read of one file
const MAX_LINES = 100; // in one answer

/** Gives the lines that contain the query, as "file:line: text". The caller names no path, so none can lead elsewhere. */
export async function searchFiles(folder, query) {
  const wanted = query.toLowerCase();
  const found = [];
  for (const name of await textFiles(folder)) {
    const lines = (await readStart(join(folder, name))).split(/\r?\n/);
    lines.forEach((line, i) => {
      if (line.toLowerCase().includes(wanted)) found.push(`${name}:${i + 1}: ${line.trim().slice(0, 500)}`);
    });
  }
  if (found.length === 0) return "Nothing found.";
  const more = found.length > MAX_LINES ? [`and ${found.length - MAX_LINES} more`] : [];
  return [...found.slice(0, MAX_LINES), ...more].join("\n");
}

async function textFiles(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  // isFile is false for symbolic links, which may lead out of the folder.
  return entries.filter((e) => e.isFile() && /\.(txt|md)$/i.test(e.name)).map((e) => e.name).sort();
}

async function readStart(path) {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_BYTES), position: 0 });
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
