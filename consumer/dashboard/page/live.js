/* live: the stream of events, kept up, and the status that comes of it. */
import { shareStream } from './stream.js';

const AGAIN_FIRST_MS = 500, AGAIN_CAP_MS = 15000;
const SILENCE_MS = 7000; /* the server says something every 4 s */
const STALE_AFTER_MS = 3000;
const CHANGE_GAP_MS = 1000;

/* Ends with the signal: the next tab waits for its turn. */
function rest(ms, signal) {
    return new Promise((resolve) => {
        setTimeout(resolve, ms);
        signal.addEventListener('abort', resolve, { once: true });
    });
}

export function follow(app) {
    let stop = null, alive = false, heard = 0, lost = 0, changeTimer = null, othersTimer = null;
    let counted = '', anyUnnamed = false, lastStatus = null;
    const shared = shareStream(take, () => alive ? lastStatus : null);

    function learn(status) {
        lastStatus = status;
        app.clockOffset = status.now_ms - Date.now();
        const members = status.members.filter((m) => m.alive)
            .map((m) => ({ ...m, retry_partitions: m.retry_partitions ?? [] }));
        const breaker = status.breaker ?? { state: 'closed', reason: '', since_ms: null, next_probe_ms: null };
        const { retrying } = status.counts;
        const waiting = status.verdict.flows ? retrying : status.waiting === null ? null : Math.max(status.waiting, retrying);
        app.status = {
            verdict: status.verdict, group: status.group, topic: status.topic, endpoint: status.endpoint,
            counts: status.counts, reasons: status.reasons, lag: status.lag, waiting,
            members, breaker, paused: status.paused ?? null, hold_until_ms: status.hold_until_ms ?? null, reconciled: status.reconciled ?? null, delivered_hour: status.delivered_hour,
        };
        app.statusError = null;
        const counts = JSON.stringify([status.counts, status.reasons]);
        if (counts !== counted) {
            counted = counts;
            changed();
        }
        app.redraw();
    }

    /* Many changes are one. unnamed: orders may have changed of which no event told. */
    function changed(unnamed = false) {
        anyUnnamed ||= unnamed;
        changeTimer ??= setTimeout(() => {
            changeTimer = null;
            app.onChange(anyUnnamed);
            anyUnnamed = false;
        }, CHANGE_GAP_MS);
    }

    /* From this tab's own stream, which the others hear too. */
    function on(event, data) {
        shared.say(event, data);
        take(event, data);
    }

    function take(event, data) {
        if (stop === null)
            return; /* not signed in */
        if (event === 'lost') {
            lose();
            return;
        }
        heard = Date.now();
        if (!alive)
            revive();
        if (event === 'status' || event === 'joined') {
            learn(data);
        } else if (event === 'order') {
            app.onOrder(data);
            app.requestSettled(data);
        } else if (event === 'many') {
            changed(true);
        } else if (event === 'redrive' || event === 'batch') {
            app.bulkStarted(data);
        } else if (event === 'expired') {
            app.sessionOver();
        }
    }

    function revive() {
        alive = true;
        lost = 0;
        changed(true); /* what was missed meanwhile */
    }

    function lose() {
        if (alive || lost === 0)
            lost = Date.now() - heard > SILENCE_MS ? heard : Date.now();
        alive = false;
        app.redraw();
    }

    async function refresh() {
        try {
            learn(await app.api.status());
        } catch (error) {
            app.statusError = error;
        }
        app.redraw();
    }

    /* The tab that reads looks after its own stream. */
    function watchOthers() {
        if (app.status === null && !shared.leads())
            refresh();
        if (alive && !shared.leads() && Date.now() - heard > SILENCE_MS)
            lose();
    }

    async function once(signal) {
        try {
            await app.api.events(signal, on);
        } catch (error) {
            app.statusError = error;
        }
        shared.say('lost');
        lose();
    }

    async function keep(signal) {
        let wait = AGAIN_FIRST_MS;
        while (!signal.aborted) {
            const began = Date.now();
            const attempt = new AbortController();
            const guard = setInterval(() => Date.now() - Math.max(heard, began) > SILENCE_MS && attempt.abort(), 1000);
            signal.addEventListener('abort', () => attempt.abort(), { once: true });
            await once(attempt.signal);
            clearInterval(guard);
            wait = Date.now() - began > AGAIN_CAP_MS ? AGAIN_FIRST_MS : Math.min(wait * 2, AGAIN_CAP_MS);
            if (!signal.aborted)
                await rest(wait, signal);
        }
    }

    return {
        start() {
            this.stop();
            const mine = stop = new AbortController();
            othersTimer = setInterval(watchOthers, 1000);
            shared.run(mine.signal, keep);
        },
        stop() {
            stop?.abort();
            stop = null;
            alive = false;
            lost = 0;
            counted = '';
            clearInterval(othersTimer);
            app.status = null;
            app.statusError = null;
        },
        refresh,
        isLive: () => alive,
        staleSince: () => !alive && lost > 0 && Date.now() - lost > STALE_AFTER_MS ? heard || lost : 0,
    };
}
