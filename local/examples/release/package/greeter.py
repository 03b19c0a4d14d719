"""What is released: a greeting, and a service that gives it."""

import http.server
import json
import pkgutil


def greet(name):
    if not name.strip():
        raise ValueError("whom?")
    return f"Hello, {name.strip()}!"


class Service(http.server.BaseHTTPRequestHandler):
    release: dict = {}

    def do_GET(self):
        fault = self.release.get("fault")
        if self.path == "/health":
            body, status = (
                {"status": fault or "ok", "version": self.release["version"]},
                503 if fault else 200,
            )
        else:
            body, status = {"greeting": greet(self.path.strip("/") or "world")}, 200
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


def serve():
    Service.release = json.loads(pkgutil.get_data(__name__, "release.json"))
    server = http.server.HTTPServer(("127.0.0.1", 0), Service)
    print(server.server_port, flush=True)
    server.serve_forever()
