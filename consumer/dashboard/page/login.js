/* login: a token, pasted. Says why it is asked for again when a session has ended. */
import { el } from './dom.js';
import { t } from './words.js';

export function login(app, ended) {
    let wrong = null, busy = false;

    async function submit(event) {
        event.preventDefault();
        const token = document.getElementById('token').value.trim().replace(/^Bearer\s+/i, '');
        if (token === '') {
            refuse(t('login_empty'));
            return;
        }
        busy = true;
        app.redraw();
        const problem = await app.signIn(token);
        busy = false;
        if (problem !== null)
            refuse(problem);
    }

    function refuse(why) {
        wrong = why;
        app.redraw();
        document.getElementById('token')?.focus();
    }

    return {
        title: () => t(ended ? 'expired_title' : 'login_title'),
        onChange: () => {},
        draw: () => el('section.login', { 'data-key': 'login' },
            el('h1', { tabindex: -1 }, t(ended ? 'expired_title' : 'login_title')),
            el('p', {}, t(ended ? 'expired_why' : 'login_why')),
            el('form.card', { onsubmit: submit },
                el('label', { for: 'token' }, t('login_label')),
                el('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false',
                    'aria-describedby': 'token-help' + (wrong !== null ? ' token-wrong' : ''), 'aria-invalid': wrong !== null && 'true' }),
                wrong !== null && el('p.warning', { id: 'token-wrong', role: 'alert' }, wrong),
                el('div.actions', {}, el('button.loud', { type: 'submit', 'aria-disabled': busy && 'true' }, t('login_button'))),
                el('p.soft', { id: 'token-help' }, t('login_help'), ' ', t('login_kept')))),
    };
}
