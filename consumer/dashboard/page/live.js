/* live: the stream of events, kept up; the status and the last hour that come of it. */
const ACTIVITY_EVERY_MS = 15000, ACTIVITY_SOON_MS = 2000;
const AGAIN_FIRST_MS = 500, AGAIN_CAP_MS = 15000;
const SILENCE_MS = 7000; /* the server says something every 4 s */
const STALE_AFTER_MS = 3000;
const CHANGE_GAP_MS = 1000;

export function follow(app) {
    let stop = null, alive = false, heard = 0, lost = 0, activity = [], activityAt = 0, activityDue = 0, activityTimer = null, changeTimer = null;
    let counted = '', anyUnnamed = false;

    function learn(status) {
        app.clockOffset = status.now_ms - Date.now();
        const members = status.members.filter((m) => m.alive)
            .map((m) => ({ ...m, retry_partitions: m.retry_partitions ?? [] }));
        const breaker = status.breaker ?? { state: 'closed', reason: '', since_ms: null, next_probe_ms: null };
        const { retrying } = status.counts;
        const waiting = status.verdict.flows ? retrying : status.waiting === null ? null : Math.max(status.waiting, retrying);
        app.status = {
            verdict: status.verdict, group: status.group, topic: status.topic, endpoint: status.endpoint,
            counts: status.counts, reasons: status.reasons, lag: status.lag, waiting,
            members, breaker, paused: status.paused ?? null, hold_until_ms: status.hold_until_ms ?? null, reconciled: status.reconciled ?? null, history: activity, delivered_hour: activity.reduce((sum, p) => sum + p.delivered, 0),
        };
        app.statusError = null;
        const counts = JSON.stringify([status.counts, status.reasons]);
        if (counts !== counted) {
            counted = counts;
            changed();
            readActivitySoon(ACTIVITY_SOON_MS);
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

    async function readActivity() {
        clearTimeout(activityTimer);
        activityTimer = null;
        activityAt = Date.now();
        try {
            activity = await app.api.activity();
            if (app.status !== null) {
                app.status.history = activity;
                app.status.delivered_hour = activity.reduce((sum, p) => sum + p.delivered, 0);
            }
            app.redraw();
        } catch {
            /* the stream tells when there is trouble; the next one comes */
        }
        if (stop !== null)
            readActivitySoon(ACTIVITY_EVERY_MS);
    }

    /* ms after the last reading, unless it comes sooner already. */
    function readActivitySoon(ms) {
        const at = Math.max(Date.now(), activityAt + ms);
        if (activityTimer !== null && activityDue <= at)
            return;
        clearTimeout(activityTimer);
        activityDue = at;
        activityTimer = setTimeout(readActivity, at - Date.now());
    }

    function on(event, data) {
        heard = Date.now();
        if (event === 'beat')
            return;
        if (event === 'open') {
            alive = true;
            lost = 0;
            changed(true); /* what was missed meanwhile */
        } else if (event === 'status') {
            learn(data);
        } else if (event === 'order') {
            app.onOrder(data);
            app.requestSettled(data);
        } else if (event === 'many') {
            changed(true);
        } else if (event === 'redrive') {
            app.bulkStarted(data);
        } else if (event === 'expired') {
            app.sessionOver();
        }
    }

    async function once(signal) {
        try {
            await app.api.events(signal, on);
        } catch (error) {
            app.statusError = error;
        }
        if (alive || lost === 0)
            lost = Date.now() - heard > SILENCE_MS ? heard : Date.now();
        alive = false;
        app.redraw();
    }

    async function keep(mine) {
        let wait = AGAIN_FIRST_MS;
        while (stop === mine) {
            const began = Date.now();
            const attempt = new AbortController();
            const guard = setInterval(() => Date.now() - Math.max(heard, began) > SILENCE_MS && attempt.abort(), 1000);
            mine.signal.addEventListener('abort', () => attempt.abort(), { once: true });
            await once(attempt.signal);
            clearInterval(guard);
            wait = Date.now() - began > AGAIN_CAP_MS ? AGAIN_FIRST_MS : Math.min(wait * 2, AGAIN_CAP_MS);
            if (stop === mine)
                await new Promise((resolve) => setTimeout(resolve, wait));
        }
    }

    return {
        start() {
            this.stop();
            const mine = stop = new AbortController();
            readActivity().then(() => keep(mine)); /* else the page would say at first that nothing came in the last hour */
        },
        stop() {
            stop?.abort();
            stop = null;
            alive = false;
            lost = 0;
            counted = '';
            clearTimeout(activityTimer);
            activityTimer = null;
            app.status = null;
            app.statusError = null;
        },
        async refresh() {
            try {
                learn(await app.api.status());
            } catch (error) {
                app.statusError = error;
            }
            app.redraw();
        },
        isLive: () => alive,
        staleSince: () => !alive && lost > 0 && Date.now() - lost > STALE_AFTER_MS ? heard || lost : 0,
    };
}
