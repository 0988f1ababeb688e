#!/usr/bin/env python3
"""A webhook receiver for tests: journals every request, answers as it is told. Loopback only.

usage: receiver.py --journal FILE [--port N] [--port-file FILE]

The journal has a JSON line for each request, written before its answer:
  t_ms, t_done_ms (wall clock), method, path, headers ([[name, value]...], as sent), body, status
  (null: no answer; body: text, bytes that are not UTF-8 as \\xNN)

PUT /_control changes what is named, for requests that come later; it is not journaled:
  status      200     the answer's status
  headers     {}      more headers of the answer, such as {"Retry-After": "3"}
  delay_ms    0       the time before the answer
  delay_only  0       so many requests are delayed, the later ones are not; 0: all are
  fail_first  0       so many 500s for each webhook-id before its first success
  refuse      ""      requests whose body has this text are answered 422, the others as ever
  fail        ""      requests whose body has this text are answered 500, likewise
  mode        normal  reset: the connection ends with RST; hang: no answer until the mode changes
"""
import argparse
import collections
import http.server
import json
import os
import socket
import struct
import threading
import time

CONTROL_PATH = "/_control"

lock = threading.Lock()
mode_changed = threading.Condition(lock)
control = {"status": 200, "headers": {}, "delay_ms": 0, "delay_only": 0, "fail_first": 0, "refuse": "",
           "fail": "", "mode": "normal"}
attempts = collections.Counter()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def steer(self):
        try:
            change = json.loads(self.body())
            unknown = set(change) - set(control)
        except (ValueError, TypeError):
            unknown = {"a body that is not a JSON object"}
        if unknown:
            print(f"receiver: control knows nothing of {sorted(unknown)}", flush=True)
            return self.answer(400)
        with lock:
            control.update(change)
            mode_changed.notify_all()
        return self.answer(204)

    def receive(self):
        if self.command == "PUT" and self.path == CONTROL_PATH:
            return self.steer()
        began, body = time.time(), self.body().decode("utf-8", "backslashreplace")
        with lock:
            now = dict(control)
            if control["delay_only"] > 0:
                control["delay_only"] -= 1
                control["delay_ms"] *= control["delay_only"] > 0
            identity = self.headers.get("webhook-id")
            attempts[identity] += 1
            failing = attempts[identity] <= now["fail_first"]
        time.sleep(now["delay_ms"] / 1000)
        status = now["status"] if now["mode"] == "normal" else None
        if (failing or now["fail"] and now["fail"] in body) and status is not None:
            status = 500
        elif now["refuse"] and now["refuse"] in body and status is not None:
            status = 422
        journal({"t_ms": int(began * 1000), "t_done_ms": int(time.time() * 1000),
                 "method": self.command, "path": self.path, "headers": self.headers.items(),
                 "body": body, "status": status})
        if status is not None:
            return self.answer(status, now["headers"])
        return self.end_without_answer(now["mode"])

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = receive

    def end_without_answer(self, mode):
        if mode == "hang":
            with lock:
                mode_changed.wait_for(lambda: control["mode"] != "hang")
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_):
        """The journal says it all."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def shutdown_request(self, request):
        """Closes without shutdown(2), whose FIN would go before the RST of a reset."""
        self.close_request(request)

    def handle_error(self, request, client_address):
        """A client that vanishes (kill -9) is part of the tests."""


def journal(entry):
    line = json.dumps(entry, ensure_ascii=False) + "\n"
    with lock:
        journal.file.write(line)
        journal.file.flush()


def write_whole(path, text):
    """A reader that waits for the file never sees it empty."""
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(text)
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    arguments = parser.parse_args()
    with open(arguments.journal, "a", encoding="utf-8") as journal.file:
        server = Server(("127.0.0.1", arguments.port), Handler)
        if arguments.port_file:
            write_whole(arguments.port_file, str(server.server_port))
        server.serve_forever()


if __name__ == "__main__":
    main()
