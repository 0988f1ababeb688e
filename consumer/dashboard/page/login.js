/* login: e-mail and password or a code by e-mail, where the dashboard offers Supabase Auth; else a token, pasted. Says why it is
 * asked for again when a session has ended. */
import { el } from './dom.js';
import { skeleton } from './parts.js';
import { t } from './words.js';

export function login(app, ended) {
    let wrong = null, wrongOf = '', busy = false; /* what to tell, and in which of the forms */
    let offer, step = 'password', email = '', begun = null; /* offer: undefined: not known yet; begun: a session that lacks its second factor */

    learn();

    /* A token can be pasted all the same. */
    async function learn() {
        try {
            offer = await app.api.signInOffer();
        } catch {
            offer = null;
        }
        app.redraw();
        focusOn(offer === null ? 'token' : 'email');
    }

    const typed = (id) => document.getElementById(id)?.value.trim() ?? '';

    function refuse(why, focus) {
        wrong = why;
        wrongOf = focus === 'token' ? 'token' : 'auth';
        app.redraw();
        focusOn(focus);
    }

    function to(next, focus) {
        step = next;
        wrong = null;
        app.redraw();
        focusOn(focus);
    }

    /* Once it is drawn. */
    function focusOn(id) {
        requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(id)?.focus()));
    }

    async function work(focus, act) {
        if (busy)
            return;
        busy = true;
        wrong = null;
        app.redraw();
        let problem;
        try {
            problem = await act();
        } catch (error) {
            problem = error.message;
        }
        busy = false;
        if (problem !== null)
            refuse(problem, focus);
    }

    /* ---- a token ---- */

    function submitToken(event) {
        event.preventDefault();
        const token = typed('token').replace(/^Bearer\s+/i, '');
        work('token', () => token === '' ? t('login_empty') : app.signIn(token));
    }

    function tokenForm() {
        return el('form.card', { onsubmit: submitToken, 'data-key': 'by-token' },
            el('label', { for: 'token' }, t('login_label')),
            el('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false',
                'aria-describedby': 'token-help' + (isWrong('token') ? ' wrong' : ''), 'aria-invalid': isWrong('token') && 'true' }),
            warning('token'), actions(t('login_button')),
            el('p.soft', { id: 'token-help' }, t('login_help'), ' ', t('login_kept')));
    }

    /* ---- Supabase Auth ---- */

    const STEPS = { password: submitPassword, mail: submitMail, code: submitCode, factor: submitFactor };

    /* The account's second factor comes before anything is asked of the dashboard. */
    async function enter(session) {
        if (session.factor !== null && step !== 'factor') {
            begun = session;
            to('factor', 'code');
            return null;
        }
        return app.signIn(session.token, session.renewal);
    }

    function submit(event) {
        event.preventDefault();
        STEPS[step]();
    }

    function submitPassword() {
        const password = document.getElementById('password').value;
        email = typed('email');
        work('password', async () => enter(await (await import('./supabase.js')).byPassword(offer, email, password)));
    }

    function submitMail() {
        email = typed('email');
        work('email', async () => {
            await (await import('./supabase.js')).sendCode(offer, email);
            to('code', 'code');
            return null;
        });
    }

    function submitCode() {
        const code = typed('code');
        work('code', async () => enter(await (await import('./supabase.js')).byCode(offer, email, code)));
    }

    function submitFactor() {
        const code = typed('code');
        work('code', async () => enter(await (await import('./supabase.js')).byFactor(offer, begun, code)));
    }

    function field(id, label, attributes) {
        return [el('label', { for: id }, t(label)),
            el('input', { id, required: true, spellcheck: 'false', 'aria-describedby': isWrong('auth') && 'wrong', 'aria-invalid': isWrong('auth') && 'true', ...attributes })];
    }

    const mailField = () => field('email', 'login_email', { type: 'email', autocomplete: 'username', value: email });
    const codeField = (label) => field('code', label, { inputmode: 'numeric', autocomplete: 'one-time-code', pattern: '[0-9]{6,10}', maxlength: 10 });

    const FIELDS = {
        password: () => [mailField(), field('password', 'login_password', { type: 'password', autocomplete: 'current-password' }), warning('auth'), actions(t('login_button'), ['mail', 'login_by_code'])],
        mail: () => [mailField(), warning('auth'), actions(t('login_send'), ['password', 'login_by_password'])],
        code: () => [el('p', {}, t('login_sent', { email })), codeField('login_code'), warning('auth'), actions(t('login_button'), ['mail', 'login_again'])],
        factor: () => [el('p', {}, t('login_factor_why')), codeField('login_factor'), warning('auth'), actions(t('login_button'), ['password', 'login_by_password'])],
    };

    function authForm() {
        return [
            el('form.card', { onsubmit: submit, 'data-key': `by-${step}` }, FIELDS[step]()),
            el('details', { 'data-key': 'token' }, el('summary', {}, t('login_by_token')), tokenForm()),
        ];
    }

    /* ---- both ---- */

    const isWrong = (form) => wrong !== null && wrongOf === form;

    function warning(form) {
        return isWrong(form) && el('p.warning', { id: 'wrong', role: 'alert' }, wrong);
    }

    function actions(label, other) {
        return el('div.actions', {},
            other && el('button.quiet', { type: 'button', onclick: () => to(other[0], 'email') }, t(other[1])),
            el('button.loud', { type: 'submit', 'aria-disabled': busy && 'true' }, label));
    }

    return {
        title: () => t(ended ? 'expired_title' : 'login_title'),
        onChange: () => {},
        draw: () => el('section.login', { 'data-key': 'login' },
            el('h1', { tabindex: -1 }, t(ended ? 'expired_title' : 'login_title')),
            el('p', {}, t(ended ? 'expired_why' : 'login_why')),
            offer === undefined ? skeleton() : offer === null ? tokenForm() : authForm()),
    };
}
