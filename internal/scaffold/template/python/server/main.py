"""The server: which tools there are, and what they do."""

import sys

from protocol import Server
from search import search_files


def make_server(folder):
    server = Server("my-extension", "0.0.0-my-extension")

    @server.tool(
        name="search_files",
        title="Search files",
        description="Finds the lines that contain a text, in the .txt and .md files of the chosen folder.",
        input_schema={
            "type": "object",
            "properties": {
                "query": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "description": "The text to look for; upper and lower case are the same",
                }
            },
            "required": ["query"],
            "additionalProperties": False,
        },
        annotations={"readOnlyHint": True, "openWorldHint": False},
    )
    def search(query):
        if not isinstance(query, str) or not 1 <= len(query) <= 200:
            raise ValueError("query must be a text of 1 to 200 characters")
        return search_files(folder, query)

    return server


if __name__ == "__main__":
    if len(sys.argv) != 2:
        # Standard output belongs to MCP: whatever else there is to say goes to standard error.
        sys.exit("usage: python main.py FOLDER")
    make_server(sys.argv[1]).run(sys.stdin.buffer, sys.stdout.buffer)
