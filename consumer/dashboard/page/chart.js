/* chart: the last hour as small drawings: bars for what was delivered, a line for what is still to
 * be read. Drawn without libraries; sizes are the viewBox's, the style sheet does the rest. */
import { el } from './dom.js';
import { moment, t } from './words.js';

const MINUTES = 60, WIDTH = 600, HEIGHT = 120;
const MINUTE_MS = 60000;

/* One value a minute, oldest first, ending with the minute of now. */
function byMinute(history, now, value) {
    const last = Math.floor(now / MINUTE_MS);
    const values = new Array(MINUTES).fill(null);
    for (const point of history) {
        const i = MINUTES - 1 - (last - Math.floor(point.at_ms / MINUTE_MS));
        if (i >= 0 && i < MINUTES)
            values[i] = value(point);
    }
    return values;
}

function frame(title, max, summary, drawing) {
    return el('figure.chart', {},
        el('figcaption', {}, el('span', {}, title), el('span.soft', {}, t('chart_max', { n: max }))),
        el('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': summary },
            drawing),
        el('div.axis', { 'aria-hidden': 'true' }, el('span', {}, t('chart_from')), el('span', {}, t('chart_to'))));
}

function baseline() {
    return el('line.base', { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 });
}

export function deliveredChart(history, now) {
    const values = byMinute(history, now, (p) => p.delivered).map((v) => v ?? 0);
    const max = Math.max(...values), step = WIDTH / MINUTES;
    const start = (Math.floor(now / MINUTE_MS) - MINUTES + 1) * MINUTE_MS;
    const bars = values.map((v, i) => v > 0 && el('rect.bar-good', {
        x: (i * step + 1).toFixed(1), width: (step - 2).toFixed(1), rx: 1.5,
        height: Math.max(2, (v / max) * (HEIGHT - 4)).toFixed(1),
        y: (HEIGHT - Math.max(2, (v / max) * (HEIGHT - 4))).toFixed(1),
    }, el('title', {}, `${moment(start + i * MINUTE_MS, false)}  ${v}`)));
    const sum = values.reduce((a, b) => a + b, 0);
    return frame(t('chart_delivered'), max, t('chart_summary', { n: sum, max, now: values[MINUTES - 1] }),
        [baseline(), bars]);
}

export function lagChart(history, now) {
    const values = byMinute(history, now, (p) => p.lag);
    const known = values.filter((v) => v !== null);
    const max = Math.max(1, ...known), step = WIDTH / (MINUTES - 1);
    const points = values.map((v, i) => v === null ? null
        : `${(i * step).toFixed(1)},${(HEIGHT - 2 - (v / max) * (HEIGHT - 6)).toFixed(1)}`).filter((p) => p !== null);
    const line = points.length > 1 && el('path.line-lag', { d: 'M' + points.join('L'), 'vector-effect': 'non-scaling-stroke' });
    return frame(t('chart_lag'), known.length > 0 ? Math.max(...known) : 0,
        t('chart_lag_summary', { now: known[known.length - 1] ?? 0, max: known.length > 0 ? Math.max(...known) : 0 }),
        [baseline(), line]);
}
