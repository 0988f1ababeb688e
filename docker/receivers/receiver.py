#!/usr/bin/env python3
"""receiver.py: takes the orders that elementor-sync sends, each once. Python >= 3.9, nothing else.

  WEBHOOK_SIGNING_KEYS   whsec_…, the same as the program's; several with a space between while they rotate
  ORDERS_DATABASE        a file of SQLite's; orders.db
  PORT                   8090. TLS is a reverse proxy's
  ADDRESS                127.0.0.1; in a container 0.0.0.0

The claim of the webhook-id and the work stand in one transaction: a second request with this id waits for the
first one's, and whatever dies in between leaves nothing. Ids are kept for good.
"""
import base64, contextlib, hashlib, hmac, http.server, json, os, re, sqlite3, time, traceback

TOLERANCE_SECONDS = 300
BODY_MAX = 1024 * 1024
DATABASE = os.environ.get("ORDERS_DATABASE", "orders.db")


def key_of(word):
    key = base64.b64decode(word.removeprefix("whsec_"), validate=True)
    if not word.startswith("whsec_") or len(key) < 24:
        raise SystemExit("WEBHOOK_SIGNING_KEYS: a key is whsec_ and the base64 of 24 bytes or more")
    return key


KEYS = [key_of(word) for word in re.split(r"[\s,]+", os.environ["WEBHOOK_SIGNING_KEYS"].strip())]


def is_signed(id, when, signatures, body):
    """body: the bytes as they came; a body that was parsed and written again has another signature."""
    if not id or not re.fullmatch("[0-9]{1,12}", when) or abs(time.time() - int(when)) > TOLERANCE_SECONDS:
        return False
    signed = f"{id}.{when}.".encode() + body
    wanted = [b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in KEYS]
    return any(hmac.compare_digest(w, s.encode()) for w in wanted for s in signatures.split(" "))


def open_database():
    db = sqlite3.connect(DATABASE, timeout=10, isolation_level=None)  # BEGIN and COMMIT are ours
    db.execute("CREATE TABLE IF NOT EXISTS claims (webhook_id TEXT NOT NULL PRIMARY KEY)")
    db.execute("CREATE TABLE IF NOT EXISTS orders (order_id TEXT NOT NULL, body TEXT NOT NULL)")
    return db


def store_once(id, order, body):
    """False: the id was claimed before."""
    with contextlib.closing(open_database()) as db:  # closing rolls back what is not committed
        db.execute("BEGIN IMMEDIATE")
        if db.execute("INSERT INTO claims VALUES (?) ON CONFLICT DO NOTHING", (id,)).rowcount == 0:
            return False
        # The work: here, one row. An act that cannot be rolled back (an e-mail) comes behind the commit.
        db.execute("INSERT INTO orders VALUES (?, ?)", (order["fields"]["order_id"], body.decode()))
        db.execute("COMMIT")
        return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, **what):
        text = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        length = self.headers.get("Content-Length", "0")
        # A body that is not read would be taken for the next request: the connection ends with the answer.
        if not re.fullmatch("[0-9]{1,18}", length):
            self.close_connection = True
            return self.answer(400, ok=False, error="the Content-Length is not a number of bytes")
        if int(length) > BODY_MAX:
            self.close_connection = True
            return self.answer(413, ok=False, error=f"a body of more than {BODY_MAX} bytes")
        body = self.rfile.read(int(length))
        id = self.headers.get("webhook-id", "")
        if not is_signed(id, self.headers.get("webhook-timestamp", ""), self.headers.get("webhook-signature", ""), body):
            return self.answer(401, ok=False, error="the signature does not fit, or the clocks are 5 minutes apart")
        if self.headers.get("webhook-source") == "ping":
            return self.answer(200, ok=True)
        try:
            # parse_float=str: an amount stays the text that it is, 1250.50.
            order = json.loads(body, parse_float=str)
            if not isinstance(order["fields"]["order_id"], str):
                raise TypeError("order_id")
        except (ValueError, KeyError, TypeError):
            return self.answer(422, ok=False, error="no order")
        try:
            is_new = store_once(id, order, body)
        except Exception:
            traceback.print_exc()
            return self.answer(500, ok=False, error="not stored")
        return self.answer(200, ok=True, duplicate=not is_new)


if __name__ == "__main__":
    open_database().close()
    address = os.environ.get("ADDRESS", "127.0.0.1"), int(os.environ.get("PORT", 8090))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
