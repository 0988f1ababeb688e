"""Ports on loopback for what a test starts."""
import pathlib, random, socket


def free_ports(count):
    """Below the range of outgoing connections, or a client could be connected to itself."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    first, end = (10000, low) if low > 11000 else (32768, 61000)
    taken = []
    while len(taken) < count:
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", random.randrange(first, end)))
            taken.append(s)
        except OSError:
            s.close()
    ports = [s.getsockname()[1] for s in taken]
    for s in taken:
        s.close()
    return ports
