/* several: orders of the list that are picked, and what is done with all of them at once: one question, one call, and
 * the answer of each. */
import { el, icon } from './dom.js';
import { asked as askedOf } from './filters.js';
import { orderName } from './parts.js';
import { askBatch, whyNot } from './batches.js';
import { bulkWords } from './requests.js';
import { sentence, t } from './words.js';

const FITS = { retry: ['parked', 'dismissed'], dismiss: ['parked'], restore: ['dismissed'] };
const NAMED_MAX = 500; /* of one call */

/* list(): what is shown. */
export function several(app, filtered, list) {
    const picked = new Map(); /* key → order */
    let last = null; /* the row that was picked last: where a range begins */
    let all = null; /* all that match: how many they are, and until when */
    let job = null, answers = null, wrong = null, counting = false;

    /* ---- picking ---- */

    function pick(order, isRange) {
        const rows = list(), place = (key) => rows.findIndex((o) => o.key === key);
        const to = place(order.key), from = isRange ? place(last) : -1;
        const isOn = !picked.has(order.key);
        all = null;
        for (const one of from < 0 || to < 0 ? [order] : rows.slice(Math.min(from, to), Math.max(from, to) + 1))
            isOn ? picked.set(one.key, one) : picked.delete(one.key);
        last = order.key;
        app.redraw();
    }

    function pickShown() {
        for (const order of list().slice(0, NAMED_MAX))
            picked.set(order.key, order);
        app.redraw();
    }

    function pickNone() {
        picked.clear();
        all = null;
        wrong = null;
        app.redraw();
    }

    const query = () => {
        const { sort: _, ...rest } = askedOf(filtered);
        return rest;
    };

    /* The second step: as many as match, at this moment. */
    async function pickAll() {
        if (counting)
            return;
        counting = true;
        wrong = null;
        try {
            const { count, until_ms } = await app.api.previewBatch(query(), { action: 'retry' });
            all = { count, query: { ...query(), until_ms } };
        } catch (error) {
            wrong = error;
        }
        counting = false;
        app.redraw();
    }

    /* A button: the drawing decides whether it is ticked, and a click may have Shift. */
    function box(order) {
        const isOn = all !== null || picked.has(order.key);
        return el('button.box', { type: 'button', role: 'checkbox', 'aria-checked': String(isOn), 'aria-label': t('pick', { order: orderName(order) }),
            onclick: (event) => pick(order, event.shiftKey) });
    }

    /* ---- doing ---- */

    /* By what is known here; the preview says it exactly. */
    function fits(action) {
        if (all !== null)
            return filtered.state === '' || FITS[action].includes(filtered.state);
        return [...picked.values()].some((order) => FITS[action].includes(list().find((o) => o.key === order.key)?.state ?? order.state));
    }

    function ask(action) {
        const what = all !== null ? { query: all.query } : { keys: [...picked.keys()] };
        askBatch(app, action, what, begun);
    }

    function begun(started) {
        job = started.id;
        answers = null;
        app.bulkStarted(started);
        pickNone();
    }

    /* The job of now; its answers are asked for when it is over. */
    function current() {
        const now = job === null ? undefined : app.bulk.get(job);
        if (now !== undefined && now.state !== 'running' && now.failed > 0 && answers === null) {
            answers = [];
            readAnswers(now);
        }
        return now;
    }

    async function readAnswers(now) {
        try {
            answers = (await app.api.batchState(now.id)).orders.filter(({ answer }) => !['done', 'waiting'].includes(answer));
            app.redraw();
        } catch {
            /* the numbers are there all the same */
        }
    }

    async function stop(now) {
        try {
            app.bulkStarted(await app.api.cancelBulk(now));
        } catch (error) {
            wrong = error;
            app.redraw();
        }
    }

    function forgetJob() {
        job = null;
        app.redraw();
    }

    /* ---- drawing ---- */

    const nameOf = (key) => {
        const order = list().find((o) => o.key === key);
        return order === undefined ? key : orderName(order);
    };

    const SHOWN = 5;
    function refused(now) {
        return Object.entries(now.answers).map(([answer, n]) => {
            const names = (answers ?? []).filter((one) => one.answer === answer).slice(0, SHOWN).map(({ key }) => nameOf(key)).join(', ');
            return el('li', {}, t('b_not', { n, why: whyNot(now.action, answer) }), names !== '' && el('span.soft', {}, ` ${names}`));
        });
    }

    function jobLine(now) {
        const isOn = now.state === 'running', done = now.sent + now.failed;
        return el('div.job', { role: 'status', 'data-key': 'job' },
            el('p', {}, icon(isOn ? 'wait' : now.failed > 0 ? 'idle' : 'good'), el('strong', {}, t(`bulk_${now.action}`, { n: now.count })), ' ', el('span', {}, bulkWords(now))),
            isOn && el('progress', { max: now.count, value: done, 'aria-label': t(`bulk_${now.action}`, { n: now.count }) }),
            !isOn && now.failed > 0 && el('ul', {}, refused(now)),
            isOn ? el('button.plain', { type: 'button', onclick: () => stop(now) }, t('redrive_stop'))
                 : el('button.plain', { type: 'button', onclick: forgetJob }, t('clear')));
    }

    function choices(cursor) {
        const shown = Math.min(list().length, NAMED_MAX), n = all?.count ?? picked.size;
        return el('div.choices', { role: 'group', 'aria-label': t('picked', { n }), 'data-key': 'choices' },
            el('strong', { role: 'status' }, t(all === null ? 'picked' : 'picked_all', { n })),
            Object.keys(FITS).map((action) => fits(action) && el('button.quiet', { type: 'button', onclick: () => ask(action) }, t(`b_${action}`))),
            all === null && picked.size < shown && el('button.plain', { type: 'button', onclick: pickShown }, t('pick_shown', { n: shown })),
            all === null && picked.size >= shown && cursor !== null &&
                el('button.plain', { type: 'button', onclick: pickAll, 'aria-disabled': counting && 'true' }, t('pick_all')),
            el('button.plain', { type: 'button', onclick: pickNone }, t('pick_none')));
    }

    return {
        box,
        /* Below the list, over its end: nothing above moves. cursor: null where all that match are shown. */
        bar(cursor) {
            const now = current(), isPicking = picked.size > 0 || all !== null;
            if (!isPicking && now === undefined && wrong === null)
                return null;
            return el('section.several', { 'aria-label': t('several'), 'data-key': 'several' },
                now !== undefined && jobLine(now), isPicking && choices(cursor),
                wrong !== null && el('p.warning', { role: 'alert' }, sentence(wrong.message), '.'));
        },
        begun,
    };
}
