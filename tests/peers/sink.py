"""A receiver of webhooks that checks signatures with the reference library. Arguments: secret, log file, faults as JSON.
Lines of JSON on standard input give it another secret or other faults: {"secret": "whsec_…"}, {"faults": {}}."""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from standardwebhooks.webhooks import Webhook

log, lock, seen = sys.argv[2], Lock(), {"requests": 0}
known = {"hook": Webhook(sys.argv[1]), "faults": json.loads(sys.argv[3])}


def listen() -> None:
    for line in sys.stdin:
        told = json.loads(line)
        if "secret" in told:
            known["hook"] = Webhook(told["secret"])
        known["faults"] = told.get("faults", known["faults"])


class Sink(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with lock:
            seen["requests"] += 1
            number = seen["requests"]
        hook, faults = known["hook"], known["faults"]
        every = lambda name: faults.get(name, 0) > 0 and number % faults[name] == 0
        try:
            hook.verify(body, dict(self.headers))
            verified = True
        except Exception:
            verified = False
        status = faults.get("status", 200) if verified else 401
        if number <= faults.get("busy_first", 0):
            status = 503
        elif every("busy_every"):
            status = 503
        elif every("slow_every"):
            time.sleep(faults["slow_s"])
        elif every("hold_every"):
            # It is here, and not answered yet.
            self.note(body, verified, None)
            time.sleep(faults["hold_s"])
        self.note(body, verified, status)
        try:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()
        except OSError:
            pass

    def note(self, body: bytes, verified: bool, status: int | None) -> None:
        line = {"id": self.headers["webhook-id"], "verified": verified, "status": status, "body": json.loads(body)}
        with lock, open(log, "a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def log_message(self, *_) -> None:
        pass


Thread(target=listen, daemon=True).start()
server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(f"port {server.server_address[1]}", flush=True)
server.serve_forever()
