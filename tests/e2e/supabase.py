"""A Supabase project as a dashboard sees it: its set of keys over HTTP, and the tokens that it signs
with one of them (ES256). By the openssl command: Python alone has no such signatures."""
import base64, http.server, json, pathlib, subprocess, threading, time, uuid

ISSUER = "https://project.supabase.co/auth/v1"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, check=True,
                          capture_output=True).stdout


def fixed_width(der):
    """A signature's two numbers as JWS has them: 32 bytes each, no ASN.1."""
    numbers, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        numbers += der[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + length
    return numbers


class Project:
    def __init__(self, folder):
        self.key_file, self.kid = pathlib.Path(folder) / "project.pem", str(uuid.uuid4())
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key_file)
        point = openssl("ec", "-in", self.key_file, "-pubout", "-outform", "DER")[-64:]
        self.set = json.dumps({"keys": [{
            "kty": "EC", "crv": "P-256", "x": encoded(point[:32]), "y": encoded(point[32:]),
            "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": True, "kid": self.kid}]})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/auth/v1/.well-known/jwks.json"

    def handler(project):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = project.set.encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def token(self, **claims):
        """The token of a customer who signs in to the shop; claims change or add to it."""
        now = int(time.time())
        header = {"alg": "ES256", "kid": self.kid, "typ": "JWT"}
        body = {"iss": ISSUER, "sub": str(uuid.uuid4()), "aud": "authenticated", "exp": now + 3600,
                "iat": now, "email": "amina@example.com", "phone": "",
                "app_metadata": {"provider": "email", "providers": ["email"]},
                "user_metadata": {"email_verified": True}, "role": "authenticated", "aal": "aal1",
                "amr": [{"method": "password", "timestamp": now}], "session_id": str(uuid.uuid4()),
                "is_anonymous": False, **claims}
        text = ".".join(encoded(json.dumps(part).encode()) for part in (header, body))
        signature = openssl("dgst", "-sha256", "-sign", self.key_file, data=text.encode())
        return f"{text}.{encoded(fixed_width(signature))}"

    def env(self):
        return {"AUTH_JWKS_URL": self.url, "AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": "authenticated",
                "AUTH_OPERATOR_CLAIM": "app_metadata.role", "AUTH_OPERATOR_VALUES": "operator"}

    def close(self):
        self.server.shutdown()
