"""The part of the Model Context Protocol that a server with tools needs, over standard input and output.

One JSON-RPC message per line. See https://modelcontextprotocol.io/specification. When you need more of the protocol,
take the official SDK instead: README.md says how.
"""

import json

VERSIONS = ["2025-06-18", "2025-03-26", "2024-11-05"]  # that this server speaks, the newest first


class RPCError(Exception):
    """An answer that is an error of the protocol, not of a tool."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Server:
    def __init__(self, name, version):
        self.info = {"name": name, "version": version}
        self.tools = {}

    def tool(self, name, title, description, input_schema, annotations):
        """Makes the decorated function a tool: it gets the arguments by name and gives a text."""

        def register(function):
            listed = {
                "name": name,
                "title": title,
                "description": description,
                "inputSchema": input_schema,
                "annotations": annotations,
            }
            self.tools[name] = (listed, function)
            return function

        return register

    def run(self, reader, writer):
        """Answers messages until the input ends."""
        for line in reader:
            answer = self.handle_line(line)
            if answer is not None:
                writer.write(json.dumps(answer).encode() + b"\n")
                writer.flush()

    def handle_line(self, line):
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return failure(None, RPCError(-32700, "not JSON"))
        if not isinstance(message, dict):
            return failure(None, RPCError(-32600, "not a message"))
        if "id" not in message or "method" not in message:
            return None  # a notification, or an answer to a question that was never asked
        try:
            params = message.get("params") or {}
            return {"jsonrpc": "2.0", "id": message["id"], "result": self.answer(message["method"], params)}
        except RPCError as error:
            return failure(message["id"], error)

    def answer(self, method, params):
        if not isinstance(params, dict):
            raise RPCError(-32602, "params must be an object")
        if method == "initialize":
            asked = params.get("protocolVersion")
            return {
                "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
                "capabilities": {"tools": {}},
                "serverInfo": self.info,
            }
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": [listed for listed, _ in self.tools.values()]}
        if method == "tools/call":
            return self.call(params)
        raise RPCError(-32601, "no such method")

    def call(self, params):
        name, arguments = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str) or name not in self.tools or not isinstance(arguments, dict):
            raise RPCError(-32602, "no such tool, or arguments that are no object")
        try:
            return content(self.tools[name][1](**arguments))
        except Exception as error:  # whatever goes wrong in a tool is for the model to read
            return dict(content(f"{type(error).__name__}: {error}"), isError=True)


def content(text):
    return {"content": [{"type": "text", "text": text}]}


def failure(message_id, error):
    return {"jsonrpc": "2.0", "id": message_id, "error": {"code": error.code, "message": str(error)}}
