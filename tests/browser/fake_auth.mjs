// fake_auth: a stand-in for Supabase Auth, as far as the page asks it: its documented API (token, otp, verify, refresh, factors,
// logout) and its refusals, over plain objects. It holds to what Auth says of refresh tokens: each is used once, and one that is
// used again ends its session.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';

export const PUBLISHABLE = 'sb_publishable_of_the_stand_in';

export class FakeAuth {
    // mint(claims, seconds): an access token that the dashboard knows.
    constructor(mint) {
        this.mint = mint;
        this.users = new Map(); // e-mail → {password, claims, factor}
        this.reset();
    }

    reset() {
        this.sessions = new Map(); // refresh token → {email, used, ended, aal}
        this.codes = new Map(); // e-mail → the code that was sent
        this.seen = []; // "POST /auth/v1/token?grant_type=password"
        this.seconds = 3600;
        this.refusal = null; // [status, code]: every call's answer
        this.away = false;
    }

    sessionFor(email, aal = 'aal1') {
        const user = this.users.get(email), refresh = randomBytes(9).toString('base64url');
        this.sessions.set(refresh, { email, used: false, ended: false, aal });
        const factors = user.factor ? [{ id: 'factor-1', factor_type: 'totp', status: 'verified' }] : undefined;
        return [200, { access_token: this.mint({ ...user.claims, email, aal }, this.seconds), token_type: 'bearer', expires_in: this.seconds,
            expires_at: Math.floor(Date.now() / 1000) + this.seconds, refresh_token: refresh, user: { id: 'u-1', email, factors } }];
    }

    refuse(status, error_code, msg = error_code) {
        return [status, { code: status, error_code, msg }];
    }

    refresh(token) {
        const session = this.sessions.get(token);
        if (session === undefined || session.ended)
            return this.refuse(400, 'refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found');
        if (session.used) {
            for (const other of this.sessions.values())
                other.ended ||= other.email === session.email;
            return this.refuse(400, 'refresh_token_already_used', 'Invalid Refresh Token: Already Used');
        }
        session.used = true;
        return this.sessionFor(session.email, session.aal);
    }

    answer(path, query, body, bearer) {
        const user = this.users.get(body.email);
        switch (path) {
        case '/auth/v1/token':
            if (query.get('grant_type') === 'refresh_token')
                return this.refresh(body.refresh_token);
            return user !== undefined && user.password === body.password ? this.sessionFor(body.email)
                : this.refuse(400, 'invalid_credentials', 'Invalid login credentials');
        case '/auth/v1/otp':
            if (user === undefined)
                return this.refuse(422, 'otp_disabled', 'Signups not allowed for otp');
            this.codes.set(body.email, '123456');
            return [200, {}];
        case '/auth/v1/verify':
            if (body.type !== 'email' || this.codes.get(body.email) !== body.token)
                return this.refuse(403, 'otp_expired', 'Token has expired or is invalid');
            this.codes.delete(body.email);
            return this.sessionFor(body.email);
        case '/auth/v1/factors/factor-1/challenge': return bearer ? [200, { id: 'challenge-1', type: 'totp', expires_at: 0 }] : this.refuse(401, 'no_authorization');
        case '/auth/v1/factors/factor-1/verify':
            return bearer && body.challenge_id === 'challenge-1' && body.code === '654321' ? this.sessionFor(this.withFactor(), 'aal2')
                : this.refuse(422, 'mfa_verification_failed', 'Invalid TOTP code entered');
        case '/auth/v1/logout': return bearer && query.get('scope') === 'local' ? [204, null] : this.refuse(401, 'no_authorization');
        default: return this.refuse(404, 'not_found');
        }
    }

    withFactor() {
        return [...this.users].find(([, user]) => user.factor)[0];
    }

    async serve(request, response) {
        const url = new URL(request.url, 'http://localhost');
        let text = '';
        for await (const chunk of request)
            text += chunk;
        if (this.away) {
            request.socket.destroy();
            return;
        }
        const cors = { 'Access-Control-Allow-Origin': '*' };
        if (request.method === 'OPTIONS') {
            response.writeHead(204, { ...cors, 'Access-Control-Allow-Methods': 'POST', 'Access-Control-Allow-Headers': 'apikey, authorization, content-type' });
            response.end();
            return;
        }
        this.seen.push(`${request.method} ${request.url}`);
        const known = request.headers.apikey === PUBLISHABLE;
        const [status, answer] = !known ? [401, { message: 'Invalid API key' }] : this.refusal !== null ? this.refuse(...this.refusal)
            : this.answer(url.pathname, url.searchParams, JSON.parse(text), /^Bearer \S/.test(request.headers.authorization ?? ''));
        response.writeHead(status, { ...cors, 'Content-Type': 'application/json' });
        response.end(answer === null ? undefined : JSON.stringify(answer));
    }

    start() {
        this.server = createServer((request, response) => this.serve(request, response));
        return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => {
            this.url = `http://127.0.0.1:${this.server.address().port}`;
            resolve(this.url);
        }));
    }
}
