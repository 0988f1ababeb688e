/* payload: what an order's webhook says, field by field, read from Kafka when its view is opened. Personal
 * values come only when they are asked for, which the dashboard's log notes with the operator's name. */
import { announce, el, icon } from './dom.js';
import { failure, skeleton } from './parts.js';
import { explain } from './reasons.js';
import { number, t } from './words.js';

export function payload(app, key) {
    let read = null, failed = null, place = null, busy = false;

    async function get(ask, said) {
        busy = true;
        app.redraw();
        try {
            read = await ask(key);
            failed = null;
            if (said)
                announce(t(said));
        } catch (error) {
            failed = error;
        }
        busy = false;
        app.redraw();
    }

    const load = () => get(app.api.payload);
    const show = () => get(app.api.showPayload, 'p_shown');

    function field(f) {
        const wrong = f.reason !== '';
        const value = f.masked ? el('span.masked', {}, '•••••• ', el('span.soft', {}, t('p_masked', { n: f.characters })))
            : f.value === null || f.value === '' ? el('span.soft', {}, t('p_empty')) : el('span', {}, f.value);
        return [el('dt.mono', {}, f.name),
            el(wrong ? 'dd.mono.fault' : 'dd.mono', {}, value, wrong && el('p', {}, icon('bad'), ' ',
                explain({ state: 'parked', reason: `${f.reason}:${f.name}` }).whole))];
    }

    function fields() {
        const masked = read.fields.some((f) => f.masked);
        return [el('p.soft', {}, t('p_how')),
            read.detail && el('p', {}, read.detail),
            el('dl.card.facts', {}, read.fields.map(field)),
            (masked || busy) && el('div.actions', {}, el('button.quiet', { type: 'button', 'aria-disabled': busy && 'true', onclick: busy ? null : show }, t('p_show')),
                ' ', el('span.soft', {}, t('p_noted'))),
            read.body !== null && el('details', {}, el('summary', {}, t('p_bytes', { type: read.content_type, n: number(new Blob([read.body]).size) })),
                el('pre.card', { tabindex: 0 }, read.body))];
    }

    return {
        /* Reads it again when another record of the order is looked at. */
        of(order) {
            const at = JSON.stringify(order.coordinates);
            if (at !== place) {
                place = at;
                read = null;
                load();
            }
        },
        draw: () => el('section', { 'data-key': 'payload', 'aria-labelledby': 'payload' }, el('h2', { id: 'payload' }, t('p_title')),
            failed !== null ? failure(failed, load) : read === null ? skeleton(4) : fields()),
    };
}
