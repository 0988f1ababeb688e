"""A relay before a broker's listener: it can cut the connection that carries a request of a given kind."""
import socket, struct, threading

CREATE_TOPICS = 19  # Kafka's API keys
HEADER = struct.Struct(">ih")  # a request's length, and its API key


class Relay:
    """Listens on a port of its own, which the broker's listener has to advertise; `target`: the broker's."""

    def __init__(self, target):
        self.target, self.cuts, self.lock = target, {}, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def cut(self, kind, times):
        """The next `times` requests of this kind are lost with their connections."""
        with self.lock:
            self.cuts[kind] = times

    def left(self, kind):
        with self.lock:
            return self.cuts.get(kind, 0)

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        with client:
            try:
                with socket.create_connection(("127.0.0.1", self.target)) as broker:
                    threading.Thread(target=self.answers, args=(broker, client), daemon=True).start()
                    self.requests(client, broker)
            except OSError:  # whichever side ends, the other one sees its connection end
                pass

    @staticmethod
    def answers(broker, client):
        try:
            while data := broker.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def requests(self, client, broker):
        with client.makefile("rb") as stream:
            while len(head := stream.read(HEADER.size)) == HEADER.size:
                length, kind = HEADER.unpack(head)
                rest = stream.read(length - 2)
                if self.is_cut(kind):
                    client.shutdown(socket.SHUT_RDWR)
                    broker.shutdown(socket.SHUT_RDWR)
                    return
                broker.sendall(head + rest)

    def is_cut(self, kind):
        with self.lock:
            left = self.cuts.get(kind, 0)
            self.cuts[kind] = max(0, left - 1)
            return left > 0
