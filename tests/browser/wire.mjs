// wire: a way to a server that counts the bytes which come back on it: headers, bodies and chunks, as they
// are on the wire.
import { connect, createServer } from 'node:net';

export async function countWire(url) {
    const { hostname, port } = new URL(url);
    const sockets = new Set();
    let bytes = 0;
    const server = createServer((near) => {
        const far = connect(Number(port), hostname);
        far.on('data', (data) => { bytes += data.length; });
        for (const [from, to] of [[near, far], [far, near]]) {
            sockets.add(from);
            from.pipe(to);
            from.on('error', () => to.destroy());
            from.on('close', () => sockets.delete(from) && to.destroy());
        }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        url: `http://127.0.0.1:${server.address().port}/`,
        take: () => { // since the last time
            const taken = bytes;
            bytes = 0;
            return taken;
        },
        close: () => new Promise((resolve) => {
            server.close(resolve);
            sockets.forEach((socket) => socket.destroy());
        }),
    };
}
