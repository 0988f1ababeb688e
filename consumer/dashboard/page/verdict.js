/* verdict: is everything all right? One sentence for the operator, and the lines below it. */
import { endpointTrouble } from './reasons.js';
import { duration, moment, t } from './words.js';

const LAG_WORTH_SAYING = 1000;

function stoppedPartitions(status) {
    return status.members.flatMap((m) => m.partitions).filter((p) => p.state === 'stopped').map((p) => p.partition);
}

function nextProbe(breaker, now) {
    if (breaker.state === 'probing' || breaker.next_probe_ms === null || breaker.next_probe_ms <= now)
        return t('next_probe_now');
    return t('next_probe', { time: duration(breaker.next_probe_ms - now) });
}

function endpointDown(status, now) {
    const refusing = /refuses/.test(status.breaker.reason);
    const values = {
        endpoint: (status.endpoint ?? '').split('#')[0], /* without the fingerprint */
        reason: endpointTrouble(status.breaker.reason),
        time: moment(status.breaker.since_ms, false),
    };
    return {
        look: 'bad', title: t(refusing ? 'refusing_title' : 'open_title'),
        lines: [t(refusing ? 'refusing_why' : 'open_why', values), t('open_todo'), nextProbe(status.breaker, now)],
    };
}

function allGood(status) {
    if (status.delivered_hour > 0)
        return { look: 'good', title: t('good_title'), lines: [t('good_busy', { n: status.delivered_hour })] };
    const empty = status.counts.delivered === 0;
    return { look: 'good', title: t('good_title'), lines: [t(empty ? 'good_empty' : 'good_idle')] };
}

/* The gravest thing first. */
function gravest(status, now) {
    const { parked, retrying } = status.counts;
    const stopped = stoppedPartitions(status);
    if (!status.kafka)
        return { look: 'bad', title: t('kafka_title'), lines: [t('kafka_why', { time: moment(status.at_ms) })] };
    if (status.rebuilding)
        return { look: 'wait', title: t('rebuilding_title'), lines: [t('rebuilding_why')] };
    if (status.members.length === 0)
        return { look: 'bad', title: t('nobody_title'), lines: [t('nobody_why')] };
    if (status.breaker.state !== 'closed')
        return endpointDown(status, now);
    if (stopped.length > 0)
        return { look: 'bad', title: t('stopped_title'), lines: [t('stopped_why', { list: stopped.join(', '), topic: status.topic })] };
    if (status.hold_until_ms !== null && status.hold_until_ms > now)
        return { look: 'wait', title: t('hold_title'), lines: [t('hold_why', { time: moment(status.hold_until_ms, false) })] };
    if (parked > 0)
        return { look: 'bad', parked: true, title: t('parked_title', { n: parked }), lines: [t(parked === 1 ? 'parked_why_one' : 'parked_why')] };
    if (retrying > 0)
        return { look: 'wait', title: t('waiting_title', { n: retrying }), lines: [t(retrying === 1 ? 'waiting_why_one' : 'waiting_why')] };
    if (status.lag > LAG_WORTH_SAYING)
        return { look: 'wait', title: t('lag_title'), lines: [t('lag_why', { n: status.lag })] };
    return allGood(status);
}

/* {look: good | wait | bad, title, lines}. stale_ms: since when the dashboard has not answered; 0: it does. */
export function verdict(status, now, stale_ms) {
    if (stale_ms > 0)
        return { look: 'bad', title: t('stale_title'), lines: [t('stale_why', { time: moment(stale_ms) })] };
    const worst = gravest(status, now);
    if (status.counts.parked > 0 && !worst.parked)
        worst.lines.push(t('also_parked', { n: status.counts.parked }));
    return worst;
}
