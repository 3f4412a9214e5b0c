#!/usr/bin/env python3
"""How long a client waits for one frame: a caption that changes, and a time that changes.

Starts a server of its own on the loopback with a data directory that is thrown away, and serves it the media itself.
Usage: preview.py BINARY VIDEO [REQUESTS]
"""
import http.client
import http.server
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

binary, video = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
requests = int(sys.argv[3]) if len(sys.argv) > 3 else 60
counted = {"HEAD": 0, "GET": 0, "bytes": 0}


class Media(http.server.BaseHTTPRequestHandler):
    """One file, by ranges."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, with_body):
        counted[self.command] += 1
        size = os.path.getsize(video)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2]) if asked and asked[2] else size - 1, size - 1)
        self.send_response(206 if asked else 200)
        self.send_header("content-length", str(last - first + 1))
        self.send_header("content-type", "video/mp4")
        self.send_header("accept-ranges", "bytes")
        self.send_header("etag", '"one"')
        if asked:
            self.send_header("content-range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if with_body:
            with open(video, "rb") as file:
                file.seek(first)
                counted["bytes"] += last - first + 1
                self.wfile.write(file.read(last - first + 1))

    def log_message(self, *_):
        pass


media = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Media)
threading.Thread(target=media.serve_forever, daemon=True).start()
folder = tempfile.TemporaryDirectory()
config = os.path.join(folder.name, "config.toml")
with open(config, "w") as file:
    file.write("[media]\nallow_http = true\nallow_private = true\n")
data = ["--data", os.path.join(folder.name, "data")]
serve = [binary, "serve", "--listen", "127.0.0.1:0", "--config", config, *data]
server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
try:
    port = int(server.stdout.readline().rsplit(":", 1)[1])
    key = json.loads(subprocess.check_output([binary, "key", "create", "--json", *data]))["apiKey"]
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def storyboard(text):
        background = f"http://127.0.0.1:{media.server_port}/clip.mp4"
        scene = {"text": text, "backgroundUri": background, "minimumDuration": 20, "loopBackgroundVideo": True}
        return json.dumps({"videoName": "preview", "scenes": [scene, {"text": "Another scene"}]})

    def look(text, query):
        """Milliseconds until the whole picture is there."""
        since = time.perf_counter()
        headers = {"authorization": key, "content-type": "application/json"}
        connection.request("POST", f"/pictoryapis/v1/preview/frame?{query}", storyboard(text), headers)
        answer = connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - since) * 1000
        if answer.status != 200:
            sys.exit(f"{answer.status} {body[:500]}")
        return took, len(body)

    def report(name, times, size):
        times.sort()
        of = lambda part: times[min(len(times) - 1, int(len(times) * part))]
        print(f"{name:42} median {statistics.median(times):7.1f} ms  95th {of(0.95):7.1f} ms"
              f"  worst {times[-1]:7.1f} ms  ({size // 1000} kB)", flush=True)

    chance = random.Random(1)
    for name in ("png", "webp"):
        took, size = look("Hello", f"at=3.5&format={name}")
        print(f"{'first of all' if name == 'png' else 'first of this kind':42} {took:14.1f} ms")
        before = dict(counted)
        times = [look(f"Caption number {n} of a text", f"at=3.5&format={name}")[0] for n in range(requests)]
        report(f"{name}: another caption", times, size)
        sent = {what: counted[what] - before[what] for what in counted}
        print(f"    of the source: {sent} in {requests} requests")
        times = [look("Hello", f"at={chance.uniform(0, 19):.3f}&format={name}")[0] for _ in range(requests)]
        report(f"{name}: another time", times, size)
        times = [look("Hello", f"at={2 + n / 30:.3f}&format={name}")[0] for n in range(requests)]
        report(f"{name}: the next frame", times, size)
finally:
    server.terminate()
    server.wait()
