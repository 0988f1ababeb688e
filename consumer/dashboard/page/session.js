/* session: the token of this browser's tabs: where it is kept, how they share it, and how one of Supabase's is renewed.
 *
 * It lies in the tab (sessionStorage), as does what renews it; never in localStorage, an address or a log. A tab that has none
 * asks the others, by a channel that only pages of this origin hear. */
const TOKEN = 'token', RENEWAL = 'renewal';
const ANSWER_MS = 200; /* a tab that is there answers at once */
const AGAIN_MS = 5000;
const EARLY_MS = 5 * 60000;

export const readToken = () => sessionStorage.getItem(TOKEN);

/* {url, key, refresh, life_ms}; null: a token that was pasted, which cannot be renewed. */
function readRenewal() {
    try {
        return JSON.parse(sessionStorage.getItem(RENEWAL));
    } catch {
        return null;
    }
}

export function keepToken(token, renewal = null) {
    sessionStorage.setItem(TOKEN, token);
    if (renewal === null)
        sessionStorage.removeItem(RENEWAL);
    else
        sessionStorage.setItem(RENEWAL, JSON.stringify(renewal));
}

export function dropToken() {
    sessionStorage.removeItem(TOKEN);
    sessionStorage.removeItem(RENEWAL);
}

/* on: adopted(): the token is another one now; ended(): another tab has signed out. */
export function shareSession(on) {
    const channel = new BroadcastChannel('elementor-sync session ' + location.pathname);
    let heard = null, busy = null, triedAt = 0;

    function tell() {
        channel.postMessage({ token: readToken(), renewal: readRenewal() });
    }

    channel.onmessage = ({ data }) => {
        if (data.ask === true) {
            if (readToken() !== null)
                tell();
        } else if (data.out === true) {
            dropToken();
            on.ended();
        } else if (typeof data.token === 'string' && data.token !== readToken()) {
            keepToken(data.token, data.renewal);
            (heard ?? on.adopted)();
        }
    };

    async function renewNow() {
        const before = readToken(), renewal = readRenewal();
        const { renew } = await import('./supabase.js');
        const got = await renew(renewal);
        if (readToken() !== before)
            return; /* signed out, or another's by now */
        keepToken(got.token, got.renewal);
        tell();
        on.adopted();
    }

    /* One tab at a time: a renewal uses the one before up. */
    async function renewAlone(token) {
        try {
            await navigator.locks.request('elementor-sync renewal', () => readToken() === token ? renewNow() : null);
        } catch (error) {
            if (error.status > 0 && readToken() === token)
                keepToken(token); /* Auth has refused: it ends when it ends */
        }
        busy = null;
    }

    return {
        tell,
        signedOut() {
            channel.postMessage({ out: true });
        },
        /* Resolves when a tab has answered, or none did. */
        async ask() {
            channel.postMessage({ ask: true });
            await new Promise((resolve) => {
                heard = resolve;
                setTimeout(resolve, ANSWER_MS);
            });
            heard = null;
        },
        isRenewed: () => readRenewal() !== null && navigator.locks !== undefined,
        /* A while before its end, then every few seconds; at its end at once. Resolves when it has been tried. */
        async renewBefore(left_ms) {
            const renewal = readRenewal();
            if (renewal === null || navigator.locks === undefined || left_ms > Math.min(EARLY_MS, renewal.life_ms / 2))
                return;
            if (busy === null && (left_ms <= 0 || Date.now() - triedAt >= AGAIN_MS)) {
                triedAt = Date.now();
                busy = renewAlone(readToken());
            }
            await busy;
        },
        /* Supabase is told, as far as it can be. */
        async revoke() {
            const renewal = readRenewal(), token = readToken();
            if (renewal !== null)
                (await import('./supabase.js')).signOut(renewal, token);
        },
    };
}
