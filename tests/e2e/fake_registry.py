"""Serves one case's schemas.json the way a schema registry does; loopback, stops with its test."""
import http.server, json, ssl, threading


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that vanishes (kill -9) is part of the tests."""


def serve(schemas_path, certificate=None, authorization=None, clients=None):
    """Returns (server, base url); server.shutdown() ends it. certificate: of TLS, PEM with its key; authorization: the
    header without which it answers 401; clients: whose certificates clients must have one of, PEM."""
    schemas = json.load(open(schemas_path, encoding="utf-8"))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            known = schemas.get(self.path.rsplit("/", 1)[-1])
            status, answer = (200, known) if known else (404, {"error_code": 40403, "message": "Schema not found"})
            if authorization not in (None, self.headers["Authorization"]):
                status, answer = 401, {"error_code": 401, "message": "Unauthorized"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
