"""A collector of OpenTelemetry spans: OTLP over HTTP in JSON, read strictly into the messages that the project generates from
its own definitions. What these do not know, or know otherwise, is answered 400. Argument: log file, one line a span, or
{"refused": why}. Lines of JSON on standard input make it refuse: {"status": 503}."""

import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from google.protobuf.json_format import MessageToDict, ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span

log, lock, told = sys.argv[1], Lock(), {"status": 200}


def listen() -> None:
    for line in sys.stdin:
        told.update(json.loads(line))


def note(what: dict) -> None:
    with lock, open(log, "a", encoding="utf-8") as out:
        out.write(json.dumps(what) + "\n")


def octets(digits: str) -> str:
    """OTLP writes ids in hexadecimal, where JSON of protobuf would have base64."""
    if digits != digits.lower():
        raise ValueError(f"{digits} is written in capitals")
    return base64.b64encode(bytes.fromhex(digits)).decode()


def read(body: bytes) -> ExportTraceServiceRequest:
    request = json.loads(body)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = octets(span[name])
                # Names of enumerations are not allowed, though JSON of protobuf takes them.
                for number in (span["kind"], span["status"]["code"]):
                    if type(number) is not int:
                        raise ValueError(f"{number!r} is no number")
    return ParseDict(request, ExportTraceServiceRequest(), ignore_unknown_fields=False)


def spans(request: ExportTraceServiceRequest):
    for resource in request.resource_spans:
        service = {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                if (len(span.trace_id), len(span.span_id)) != (16, 8) or len(span.parent_span_id) not in (0, 8):
                    raise ValueError("an id has another length")
                if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
                    raise ValueError("it ends before it begins")
                value = lambda any_value: getattr(any_value, any_value.WhichOneof("value"))
                yield {
                    "service": service,
                    "scope": scope.scope.name,
                    "name": span.name,
                    "trace": span.trace_id.hex(),
                    "span": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "kind": Span.SpanKind.Name(span.kind),
                    "attributes": {one.key: value(one.value) for one in span.attributes},
                    "status": span.status.code,
                    "took_ns": span.end_time_unix_nano - span.start_time_unix_nano,
                }


class Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/v1/traces":
            return self.answer(404, {"message": "no such address"})
        if self.headers["content-type"] != "application/json":
            return self.answer(415, {"message": "only JSON"})
        if told["status"] != 200:
            return self.answer(told["status"], {"message": "not now"})
        try:
            for span in spans(read(body)):
                note(span)
        except Exception as error:
            note({"refused": repr(error)})
            return self.answer(400, {"message": repr(error)})
        self.answer(200, MessageToDict(ExportTraceServiceResponse()))

    def answer(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass


Thread(target=listen, daemon=True).start()
server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
print(f"port {server.server_address[1]}", flush=True)
server.serve_forever()
