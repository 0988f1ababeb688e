/* dialogs: what is asked before something is sent or held back: the bulk redrive with its preview, force, pause and resume. */
import { closeDialog, el } from './dom.js';
import { orderName } from './parts.js';
import { explain } from './reasons.js';
import { duration, learnMore, sentence, t } from './words.js';

await learnMore();

const HOUR = 3600000;
const REASON_MAX = 200; /* bytes, as of the API */
const SINCE = { any: 0, '1h': HOUR, '24h': 24 * HOUR, '7d': 168 * HOUR };

function dialog() {
    return document.getElementById('dialog');
}

/* On the backdrop, which is the dialog's as its padding is. */
function isOutside(box, { target, clientX, clientY }) {
    const { left, right, top, bottom } = box.getBoundingClientRect();
    return target === box && (clientX < left || clientX > right || clientY < top || clientY > bottom);
}

export function open(...children) {
    const box = dialog();
    let pressed = false; /* a text that is selected may end outside */
    box.replaceChildren(...children);
    box.onpointerdown = (event) => {
        pressed = isOutside(box, event);
    };
    box.onclick = (event) => {
        if (pressed && isOutside(box, event))
            box.close();
    };
    box.showModal();
    return box;
}

export function cancelButton() {
    return el('button.quiet', { type: 'button', onclick: closeDialog }, t('cancel'));
}

export function askForce(order, yes) {
    open(el('h2', { id: 'dialog-title' }, t('force_title')), el('p', {}, el('strong', {}, orderName(order))), el('p', {}, t('force_why')),
        el('div.actions', {}, cancelButton(), el('button.loud', { type: 'button', onclick: () => {
            closeDialog();
            yes();
        } }, t('force_yes'))));
}

function summary(preview) {
    if (preview.count === 0)
        return [el('p.big', {}, t('redrive_none'))];
    const hopeless = preview.reasons.filter((r) => explain({ state: 'parked', reason: r.reason }).hopeless)
        .reduce((sum, r) => sum + r.count, 0);
    return [
        el('p.big', {}, t('redrive_count', { n: preview.count })),
        el('p', {}, t('redrive_time', { time: duration(Math.max(1, preview.seconds) * 1000) }), ' ', t('redrive_same')),
        el('p.soft', {}, t('redrive_sample', { list: preview.sample.slice(0, 5).map(orderName).join(', ') })),
        hopeless > 0 && el('p.warning', {}, t('redrive_hopeless', { n: hopeless })),
    ].filter(Boolean);
}

function reasonOptions(status, chosen) {
    const all = el('option', { value: '' }, t('redrive_all', { n: status.counts.parked }));
    return [all, ...status.reasons.map((r) => el('option', { value: r.reason ?? '', selected: r.reason === chosen },
        `${explain({ state: 'parked', reason: r.reason }).whole} (${r.count})`))];
}

/* started(redrive): it has begun. */
export function askRedrive(app, reason, started) {
    const which = el('select', { id: 'which', onchange: count }, reasonOptions(app.status, reason));
    const since = el('select', { id: 'since', onchange: count },
        Object.keys(SINCE).map((name) => el('option', { value: name }, t(`since_${name}`))));
    const result = el('div.preview', { role: 'status' });
    const go = el('button.loud', { type: 'submit', disabled: true }, t('redrive_counting'));
    let preview = null, selection = {}, asked = 0;

    async function count() {
        const turn = ++asked;
        selection = {};
        if (which.value !== '')
            selection.reason = which.value;
        if (since.value !== 'any')
            selection.since_ms = app.now() - SINCE[since.value];
        preview = null;
        go.disabled = true;
        go.textContent = t('redrive_counting');
        try {
            const got = await app.api.previewRedrive(selection);
            if (turn === asked)
                show(got);
        } catch (error) {
            if (turn === asked)
                result.replaceChildren(el('p.warning', {}, sentence(error.message), '.'));
        }
    }

    function show(got) {
        preview = got;
        result.replaceChildren(...summary(got));
        go.textContent = t('redrive_yes', { n: got.count });
        go.disabled = got.count === 0;
    }

    async function start(event) {
        event.preventDefault();
        if (preview === null)
            return;
        go.disabled = true;
        try {
            started(await app.api.redrive({ ...selection, until_ms: preview.until_ms }, preview.count));
            closeDialog();
        } catch (error) {
            await count();
            result.prepend(el('p.warning', { role: 'alert' }, error.count !== undefined ? t('redrive_changed') : `${sentence(error.message)}.`));
        }
    }

    open(el('h2', { id: 'dialog-title' }, t('redrive_title')),
        el('form', { onsubmit: start },
            el('label', { for: 'which' }, t('redrive_reason')), which,
            el('label', { for: 'since' }, t('redrive_since')), since,
            result, el('div.actions', {}, cancelButton(), go)));
    count();
}

/* A form whose button does something that may fail: then it stays, and says so. */
function openForm(title, fields, label, act) {
    const wrong = el('p.warning', { role: 'alert' });
    const go = el('button.loud', { type: 'submit' }, label);

    async function submit(event) {
        event.preventDefault();
        go.disabled = true;
        try {
            await act();
            closeDialog();
        } catch (error) {
            wrong.textContent = `${sentence(error.message)}.`;
        }
        go.disabled = false;
    }

    open(el('h2', { id: 'dialog-title' }, title), el('form', { onsubmit: submit }, fields, wrong, el('div.actions', {}, cancelButton(), go)));
}

/* A question that wants a reason: act(reason). */
function askWhy(title, lines, help, label, act) {
    const why = el('input', { id: 'why', required: true, maxlength: REASON_MAX, autocomplete: 'off', 'aria-describedby': 'why-help' });
    openForm(title, [lines, el('label', { for: 'why' }, t('why')), why, el('p.soft', { id: 'why-help' }, help)], label, () => {
        if (new TextEncoder().encode(why.value).length > REASON_MAX)
            throw new Error(t('why_long'));
        return act(why.value);
    });
}

/* pause(reason) says it to the group. */
export function askPause(pause) {
    askWhy(t('pause_title'), el('p', {}, t('pause_why')), t('pause_reason_help'), t('pause_yes'), pause);
}

/* dismiss(reason) says it of the order. */
export function askDismiss(order, dismiss) {
    askWhy(t('dismiss_title'), [el('p', {}, el('strong', {}, orderName(order))), el('p', {}, t('dismiss_why'))],
        t('dismiss_reason_help'), t('dismiss_yes'), dismiss);
}

/* lines: who paused deliveries, and why. */
export function askResume(lines, resume) {
    openForm(t('resume_title'), [lines.map((line) => el('p', {}, line)), el('p', {}, t('resume_why'))], t('resume_yes'), resume);
}
