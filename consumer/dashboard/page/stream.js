/* stream: one event stream for all tabs of a browser: one tab reads it and passes on what it hears. A browser opens six
 * connections to a host (HTTP/1.1), and a stream holds one. Where there are no locks (no TLS), each tab reads its own. */
const NAME = 'elementor-sync stream ' + location.pathname;
const TAKEN_AFTER_MS = 15000; /* a tab that reads and says nothing is asleep */

/* heard(event, data): from the tab that reads. greet(): what one that comes is told, or null. */
export function shareStream(heard, greet) {
    const channel = new BroadcastChannel(NAME);
    let leads = false, said = Date.now();

    channel.onmessage = ({ data: { event, data } }) => {
        const greeting = leads && event === 'hello' ? greet() : null;
        if (greeting !== null)
            channel.postMessage({ event: 'joined', data: greeting });
        if (leads || event === 'hello')
            return;
        said = Date.now();
        heard(event, data);
    };

    /* Reads while the lock is this tab's. */
    async function lead(signal, read, options) {
        const own = new AbortController();
        signal.addEventListener('abort', () => own.abort(), { once: true });
        try {
            await navigator.locks.request(NAME, options, () => {
                leads = true;
                return read(own.signal);
            });
        } catch {
            /* another tab has taken it, or it is no longer waited for */
        }
        leads = false;
        own.abort();
    }

    function takeFromSleeper(signal, read) {
        if (signal.aborted || leads || document.hidden || Date.now() - said < TAKEN_AFTER_MS)
            return;
        said = Date.now();
        lead(signal, read, { steal: true });
    }

    return {
        say: (event, data) => leads && channel.postMessage({ event, data }),
        leads: () => leads,
        /* Until signal: read(signal) when it is this tab's turn. */
        async run(signal, read) {
            if (navigator.locks === undefined) {
                await read(signal);
                return;
            }
            said = Date.now();
            channel.postMessage({ event: 'hello' });
            const watch = setInterval(() => takeFromSleeper(signal, read), 1000);
            while (!signal.aborted)
                await lead(signal, read, { signal });
            clearInterval(watch);
        },
    };
}
