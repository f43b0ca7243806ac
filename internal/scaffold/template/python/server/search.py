"""The work itself. It knows nothing of MCP, so that it is tested by itself."""

import os

MAX_BYTES = 1_000_000  # read of one file
MAX_LINES = 100  # in one answer


def search_files(folder, query):
    """Gives the lines that contain the query, as "file:line: text". The caller names no path, so none can lead elsewhere."""
    wanted, found = query.lower(), []
    for path, name in sorted(text_files(folder)):
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if wanted in line.lower():
                found.append(f"{name}:{number}: {line.strip()[:500]}")
    if not found:
        return "Nothing found."
    more = [f"and {len(found) - MAX_LINES} more"] if len(found) > MAX_LINES else []
    return "\n".join(found[:MAX_LINES] + more)


def text_files(folder):
    with os.scandir(folder) as entries:
        # Symbolic links may lead out of the folder.
        return [
            (entry.path, entry.name)
            for entry in entries
            if entry.is_file(follow_symlinks=False) and entry.name.lower().endswith((".txt", ".md"))
        ]
