/* reconciled: the last comparison with the shop's own table, in one line. */
import { el } from './dom.js';
import { ago, moment, t } from './words.js';

export function reconciledLine(status, now) {
    const last = status.reconciled;
    if (!last || last.compared === 0)
        return null;
    const said = last.missing > 0 ? t('reconciled_missing', { n: last.missing })
        : last.until_ms === null ? t('reconciled_unknown')
        : t(last.since_ms === null ? 'reconciled_complete' : 'reconciled_since',
            { until: moment(last.until_ms, false), since: moment(last.since_ms ?? 0, false) });
    return el(`p.reconciled${last.missing > 0 ? '.todo' : '.soft'}`, { 'data-key': 'reconciled' },
        said, ' ', t('reconciled_when', { n: last.compared, time: ago(last.at_ms, now) }));
}
