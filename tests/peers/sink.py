"""A receiver of webhooks that checks signatures with the reference library. Arguments: secret, log file, faults as JSON."""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks.webhooks import Webhook

secret, log, faults = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
hook, lock, seen = Webhook(secret), Lock(), {"requests": 0}


class Sink(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with lock:
            seen["requests"] += 1
            number = seen["requests"]
        every = lambda name: faults.get(name, 0) > 0 and number % faults[name] == 0
        try:
            hook.verify(body, dict(self.headers))
            verified = True
        except Exception:
            verified = False
        status = 200 if verified else 401
        if every("busy_every"):
            status = 503
        elif every("slow_every"):
            time.sleep(faults["slow_s"])
        with lock, open(log, "a", encoding="utf-8") as out:
            line = {"id": self.headers["webhook-id"], "verified": verified, "status": status, "body": json.loads(body)}
            out.write(json.dumps(line) + "\n")
        try:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()
        except OSError:
            pass

    def log_message(self, *_) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(f"port {server.server_address[1]}", flush=True)
server.serve_forever()
