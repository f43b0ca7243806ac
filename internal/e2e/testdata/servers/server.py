"""A server in Python with nothing but the standard library: a database, children, threads, and pages of the network."""
import concurrent.futures
import json
import multiprocessing
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import urllib.request


def facts(_):
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(folder + "/facts.db") as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE numbers (n)")
        with concurrent.futures.ThreadPoolExecutor() as threads:
            db.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in threads.map(int, "1234")])
        total = db.execute("SELECT sum(n) FROM numbers").fetchone()[0]
    child = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
    return f"sum {total} child {child.stdout.strip()}"


def pool(_):
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        return str(workers.map(abs, [-3])[0])


def fetch(args):
    with urllib.request.urlopen(args["url"], context=ssl.create_default_context(), timeout=10) as page:
        return page.read().decode()


def where(_):
    return sys.executable


def knock(args):
    host, port = args["address"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as database:
        database.sendall(b"hello\n")
        return database.recv(100).decode()


TOOLS = {"facts": facts, "pool": pool, "fetch": fetch, "knock": knock, "where": where}


def call(params):
    try:
        return {"content": [{"type": "text", "text": TOOLS[params["name"]](params.get("arguments", {}))}]}
    except Exception as e:
        return {"content": [{"type": "text", "text": repr(e)}], "isError": True}


METHODS = {
    "initialize": lambda p: {"protocolVersion": p["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "python", "version": "1"}},
    "tools/list": lambda p: {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]},
    "tools/call": call,
}

if __name__ == "__main__":
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = METHODS.get(message["method"], lambda p: {})(message.get("params"))
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
