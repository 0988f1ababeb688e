/* verdict: words for the dashboard's verdict (the API's Verdict); it is judged there, never here.
 *
 * One more cause of "blind" is known to the page alone: the dashboard does not answer. */
import { endpointTrouble } from './reasons.js';
import { duration, has, moment, t } from './words.js';

const LOOKS = {
    all_well: 'good', quiet: 'idle', working: 'wait', needs_you: 'bad', no_changes_arrive: 'bad', trouble: 'bad', nobody_delivers: 'bad', blind: 'blind',
};

function partitions(cause) {
    return [...cause.partitions, ...cause.retry_partitions.map((p) => t('retry_partition', { n: String(p) }))].join(', ');
}

function values(cause, status, now) {
    return {
        n: cause.count ?? 0,
        time: cause.since_ms === null ? t('some_time') : moment(cause.since_ms),
        since: cause.since_ms === null ? t('some_time') : duration(now - cause.since_ms),
        until: cause.until_ms === null ? t('some_time') : moment(cause.until_ms, false),
        list: partitions(cause), members: cause.members.join(', '),
        topic: status.topic, endpoint: (status.endpoint ?? '').split('#')[0], /* without the fingerprint */
        reason: cause.code.startsWith('breaker_') ? endpointTrouble(cause.reason) : cause.reason ?? t('no_reason'),
    };
}

function nextProbe(cause, now) {
    if (!cause.code.startsWith('breaker_'))
        return null;
    return cause.until_ms === null || cause.until_ms <= now ? t('next_probe_now') : t('next_probe', { time: duration(cause.until_ms - now) });
}

/* Codes that have other words where there is less to say. */
const BARE = {
    kafka_away: (cause) => cause.since_ms === null,
    nobody_delivers: (cause) => cause.since_ms === null,
    registry_away: (cause) => cause.count === 0,
    catching_up: (cause) => cause.count === null,
};

function why(cause, said) {
    return t(BARE[cause.code]?.(cause) ? `v_${cause.code}_bare` : `v_${cause.code}_why`, said);
}

function lines(cause, verdict, status, now) {
    const said = values(cause, status, now);
    return [
        why(cause, said),
        cause.code === 'parked' && verdict.flows && t('others_go_on'),
        cause.todo !== null && has(`todo_${cause.todo}`) && t(`todo_${cause.todo}`),
        nextProbe(cause, now),
    ].filter(Boolean);
}

function title(cause, status, now) {
    return t(`v_${cause.code}_title`, values(cause, status, now));
}

function calm(status, now) {
    const quiet = status.verdict.state === 'quiet';
    if (quiet)
        return { title: t('v_quiet_title', { since: duration(now - status.verdict.since_ms) }), lines: [t('v_quiet_why')] };
    if (status.delivered_hour > 0)
        return { title: t('good_title'), lines: [t('good_busy', { n: status.delivered_hour })] };
    return { title: t('good_title'), lines: [t(status.counts.delivered === 0 ? 'good_empty' : 'good_idle')] };
}

/* {key, look, title, lines, also}: key: changes when something else is to be said; also: the other causes. */
export function verdict(status, now, stale_ms) {
    if (stale_ms > 0)
        return { key: 'away', look: 'blind', title: t('stale_title'), lines: [t('stale_why', { time: moment(stale_ms) })], also: [] };
    const [first, ...others] = status.verdict.causes;
    const look = LOOKS[status.verdict.state] ?? 'blind';
    if (first === undefined)
        return { key: status.verdict.state, look, ...calm(status, now), also: [] };
    return {
        key: `${status.verdict.state} ${first.code}`, look, title: title(first, status, now), lines: lines(first, status.verdict, status, now),
        also: others.map((cause) => ({ key: cause.code, look: LOOKS[cause.level] ?? 'blind', title: title(cause, status, now), lines: lines(cause, status.verdict, status, now) })),
    };
}
