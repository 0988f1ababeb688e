"""An issuer of tokens to programs (OAuth 2.0, client credentials), signed by a key that it shows; loopback."""
import base64, http.server, json, threading, time

import jwt
from jwcrypto import jwk

CLIENT, SECRET, SUBJECT = "shop-program", "right-secret", "shop"
LOGIN = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()


class TokenIssuer:
    """keys: the key, for verifiers; token: gives tokens that it signed; forged: those of another key."""

    def __init__(self):
        self.signers = {f"/{name}": jwk.JWK.generate(kty="RSA", size=2048, kid="one", use="sig", alg="RS256")
                        for name in ("token", "forged")}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{self.server.server_port}"
        self.keys, self.token, self.forged = f"{at}/keys", f"{at}/token", f"{at}/forged"

    def stop(self):
        self.server.shutdown()

    def issue(self, path):
        now = int(time.time())
        claims = {"iss": "issuer", "sub": SUBJECT, "scope": "orders", "iat": now, "exp": now + 300}
        return jwt.encode(claims, self.signers[path].export_to_pem(True, None), "RS256", {"kid": "one"})

    def public_keys(self):
        return {"keys": [self.signers["/token"].export_public(as_dict=True)]}


def handler(issuer):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.answer(200, issuer.public_keys())

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Authorization"] == LOGIN:
                self.answer(200, {"access_token": issuer.issue(self.path), "token_type": "Bearer", "expires_in": 300})
            else:
                self.answer(401, {"error": "invalid_client", "error_description": "no such client"})

        def answer(self, status, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
