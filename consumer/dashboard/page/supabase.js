/* supabase: signing in at Supabase Auth (its API under /auth/v1), with the project's publishable key. */
import { has, t } from './words.js';

/* A refusal by Auth, in the reader's words where its code has some. status 0: no answer. */
class Refusal extends Error {
    constructor(status, code, said) {
        super(has(`sb_${code}`) ? t(`sb_${code}`) : status === 429 ? t('sb_over_request_rate_limit') : t('sb_other', { said: said || `HTTP ${status}` }));
        this.status = status;
    }
}

async function call(offer, path, body, token) {
    const headers = { apikey: offer.key, 'Content-Type': 'application/json' };
    if (token !== undefined)
        headers.Authorization = `Bearer ${token}`;
    let response, said;
    try {
        response = await fetch(`${offer.url}/auth/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body), cache: 'no-store', credentials: 'omit' });
    } catch {
        throw new Refusal(0, 'away');
    }
    try {
        said = response.status === 204 ? {} : await response.json();
    } catch {
        said = {};
    }
    if (!response.ok) /* the code is in error_code, or with newer versions of the API in code */
        throw new Refusal(response.status, said.error_code ?? said.code ?? said.error, said.msg ?? said.message ?? said.error_description);
    return said;
}

function sessionOf(offer, said) {
    const factor = (said.user?.factors ?? []).find((f) => f.status === 'verified' && f.factor_type === 'totp');
    const renewal = { url: offer.url, key: offer.key, refresh: said.refresh_token, life_ms: said.expires_in * 1000 };
    return { token: said.access_token, renewal, factor: factor?.id ?? null };
}

/* Each of these resolves with {token, renewal, factor}; factor: the id of a second one that the account has. */
export const byPassword = async (offer, email, password) => sessionOf(offer, await call(offer, 'token?grant_type=password', { email, password }));
export const byCode = async (offer, email, token) => sessionOf(offer, await call(offer, 'verify', { type: 'email', email, token }));
export const renew = async (renewal) => sessionOf(renewal, await call(renewal, 'token?grant_type=refresh_token', { refresh_token: renewal.refresh }));

export async function byFactor(offer, session, code) {
    const { id } = await call(offer, `factors/${session.factor}/challenge`, {}, session.token);
    return sessionOf(offer, await call(offer, `factors/${session.factor}/verify`, { challenge_id: id, code }, session.token));
}

/* A code for an account that exists: asking creates none. */
export const sendCode = (offer, email) => call(offer, 'otp', { email, create_user: false });

export async function signOut(renewal, token) {
    try {
        await call(renewal, 'logout?scope=local', {}, token);
    } catch {
        /* the token ends by itself; the page has forgotten it */
    }
}
