"""Serves one case's schemas.json the way a schema registry does; loopback, stops with its test."""
import http.server, json, threading


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that vanishes (kill -9) is part of the tests."""


def serve(schemas_path):
    """Returns (server, base url); server.shutdown() ends it."""
    schemas = json.load(open(schemas_path, encoding="utf-8"))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            known = schemas.get(self.path.rsplit("/", 1)[-1])
            body = json.dumps(known or {"error_code": 40403, "message": "Schema not found"}).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"
