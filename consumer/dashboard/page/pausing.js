/* pausing: all deliveries wait at an operator's word, and go on at another. */
import { el } from './dom.js';
import { moment, t } from './words.js';

const OBEYS_AFTER_MS = 10000; /* a member reports a change at once, and all else every five seconds */

/* Gives app: pause, resume: each asks first. */
export function watchPause(app) {
    async function say(asked, said) {
        const { paused } = await asked;
        if (app.status !== null)
            app.status.paused = paused; /* the stream says it too, a moment later */
        app.announce(t(said));
        app.redraw();
    }

    app.pause = () => app.ask('askPause', (reason) => say(app.api.pause(reason), 'said_paused'));
    app.resume = () => app.ask('askResume', pauseLines(app.status.paused), () => say(app.api.resume(), 'said_resumed'));
}

function pauseLines(paused) {
    return [t('paused_by', { by: paused.by, time: moment(paused.at_ms), reason: paused.reason })];
}

/* Who, when and why, and the way back; nothing while deliveries go on. */
export function pauseNote(app) {
    const { paused, members } = app.status;
    if (paused === null)
        return null;
    const unheard = app.now() - paused.at_ms < OBEYS_AFTER_MS ? 0 : members.filter((m) => m.paused !== true).length;
    return el('section.card.notice.paused', { 'aria-labelledby': 'paused', 'data-key': 'paused' },
        el('div', {}, el('h2', { id: 'paused' }, t('paused_head')), pauseLines(paused).map((line) => el('p', {}, line)),
            unheard > 0 && el('p.warning', {}, t('paused_unheard', { n: unheard }))),
        el('button.loud', { type: 'button', onclick: () => app.resume() }, t('resume')));
}

export function pauseButton(app) {
    if (app.status.paused !== null)
        return null;
    return el('div.actions', {}, el('button.quiet', { type: 'button', onclick: () => app.pause() }, t('pause')));
}
