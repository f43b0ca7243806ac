"""Run by `python3 -m unittest` in the folder of the extension."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class ServerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.write("a.txt", "first\nsecond Word\n")
        self.write("b.md", "a word\n")
        self.write("c.bin", "word\n")
        self.ids = 0
        # The server is started as a host starts it.
        self.server = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "server", "main.py"), self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"),
        )
        self.addCleanup(self.stop)

    def stop(self):
        self.server.stdin.close()
        self.assertEqual(self.server.wait(timeout=30), 0)
        self.server.stdout.close()

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def send(self, line):
        self.server.stdin.write(line.encode() + b"\n")
        self.server.stdin.flush()

    def ask(self, method, **params):
        self.ids += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params}))
        answer = json.loads(self.server.stdout.readline())
        self.assertEqual(answer["id"], self.ids)
        return answer

    def call(self, **arguments):
        return self.ask("tools/call", name="search_files", arguments=arguments)["result"]

    def text(self, **arguments):
        return self.call(**arguments)["content"][0]["text"]

    def test_initialize_agrees_on_a_version(self):
        for asked, want in {"2024-11-05": "2024-11-05", "1999-01-01": "2025-06-18"}.items():
            result = self.ask("initialize", protocolVersion=asked, capabilities={}, clientInfo={"name": "t", "version": "1"})["result"]
            self.assertEqual(result["protocolVersion"], want)
        self.send('{"jsonrpc": "2.0", "method": "notifications/initialized"}')  # which has no answer
        self.assertEqual(self.ask("ping")["result"], {})

    def test_lists_its_tool(self):
        tools = self.ask("tools/list")["result"]["tools"]
        self.assertEqual([tool["name"] for tool in tools], ["search_files"])

    def test_finds_lines_in_text_files_whatever_their_case(self):
        self.assertEqual(self.text(query="WORD"), "a.txt:2: second Word\nb.md:1: a word")
        self.assertEqual(self.text(query="absent"), "Nothing found.")

    @unittest.skipIf(sys.platform == "win32", "making links needs a right there")
    def test_follows_no_link_out_of_the_folder(self):
        os.symlink(os.path.abspath(__file__), os.path.join(self.folder, "link.txt"))
        self.assertEqual(self.text(query="import"), "Nothing found.")

    def test_wrong_arguments_are_said_to_the_model(self):
        for arguments in ({}, {"query": ""}, {"query": 5}, {"other": "x"}):
            self.assertTrue(self.call(**arguments)["isError"], arguments)

    def test_wrong_messages_are_errors_and_the_server_lives_on(self):
        self.assertEqual(self.ask("no/such/method")["error"]["code"], -32601)
        self.assertEqual(self.ask("tools/call", name="other")["error"]["code"], -32602)
        for line, code in (("not JSON", -32700), ("[" * 100_000, -32700), ("[]", -32600)):
            self.send(line)
            self.assertEqual(json.loads(self.server.stdout.readline())["error"]["code"], code)
        self.assertEqual(self.ask("ping")["result"], {})


if __name__ == "__main__":
    unittest.main()
