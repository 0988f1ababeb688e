#!/usr/bin/env python3
"""A webhook receiver for tests: journals every request, answers as it is told. Loopback only.

usage: receiver.py --journal FILE [--port N] [--port-file FILE]
PUT /_control {"status": 200, "delay_ms": 0, "fail_first": 0, "mode": "normal|reset|hang"}
  fail_first: so many 500s for each webhook-id before its first success
"""
import argparse, collections, http.server, json, os, socket, struct, threading, time

lock = threading.Lock()
control = {"status": 200, "delay_ms": 0, "fail_first": 0, "mode": "normal"}
attempts = collections.Counter()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self):
        with lock:
            control.update(json.loads(self.body()))
        self.answer(204)

    def do_POST(self):
        began, body = time.time(), self.body().decode("utf-8", "backslashreplace")
        with lock:
            now = dict(control)
            identity = self.headers.get("webhook-id")
            attempts[identity] += 1
            failing = attempts[identity] <= now["fail_first"]
        time.sleep(now["delay_ms"] / 1000)
        status = 500 if failing else now["status"] if now["mode"] == "normal" else None
        journal({"t_ms": int(began * 1000), "t_done_ms": int(time.time() * 1000), "method": "POST",
                 "path": self.path, "headers": self.headers.items(), "body": body, "status": status})
        if status is not None:
            self.answer(status)
        elif now["mode"] == "hang":
            threading.Event().wait(3600)
        else:  # a reset: nothing is sent, the connection ends with RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        """A client that vanishes (kill -9) is part of the tests."""


def journal(entry):
    with lock:
        journal.file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        journal.file.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    arguments = parser.parse_args()
    journal.file = open(arguments.journal, "a", encoding="utf-8")
    server = Server(("127.0.0.1", arguments.port), Handler)
    if arguments.port_file:
        with open(arguments.port_file + ".new", "w") as f:
            f.write(str(server.server_port))
        os.replace(arguments.port_file + ".new", arguments.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
