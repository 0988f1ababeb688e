/* charts: the last hour, day and week: what was delivered, parked and failed a minute, how long a confirmation took to be
 * delivered, and what is still to be read. Fetched after the first view, with its own style sheet.
 *
 * Unknown points are hatched, and never drawn as 0. One point is read out at a time, in all charts: the newest, or the one
 * under the pointer or the arrow keys. Sizes are the viewBox's, the style sheet does the rest. */
import { el } from './dom.js';
import { clockTime, dayName, moment, number, t, took } from './words.js';

const SPANS = [1, 24, 168]; /* hours */
const WIDTH = 600, HEIGHT = 100;
const EVERY_MS = { 1: 10000, 24: 60000, 168: 60000 };
const LABELS = 4; /* of a time axis */

/* names: of the API's lists; the first is of what tells whether a point is known. */
const CHARTS = [
    { name: 'delivered', series: [['delivered', 'bar', 'delivered']], knownBy: 'delivered', unit: 'rate' },
    { name: 'trouble', series: [['parked', 'bar', 'parked'], ['failed', 'line', 'failed']], knownBy: 'parked', unit: 'rate' },
    { name: 'latency', series: [['p50_ms', 'line', 'p50'], ['p95_ms', 'line', 'p95'], ['p99_ms', 'line', 'p99']], knownBy: 'delivered', unit: 'time' },
    { name: 'lag', series: [['lag', 'line', 'lag']], knownBy: 'lag', unit: 'count' },
];

const SAID = { rate: (v) => v % 1 === 0 ? number(v) : v.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 }), time: (v) => took(Math.round(v)), count: number };

/* ---- scales ---- */

/* 1, 2 or 5 times a power of ten. */
function roundUp(value) {
    const unit = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].find((n) => n * unit >= value) * unit;
}

function linear(max) {
    const top = max <= 1 ? 1 : roundUp(max);
    return { top, ticks: top === 1 ? [1, 0] : [top, top / 2, 0], y: (v) => HEIGHT - 1 - (v / top) * (HEIGHT - 2) };
}

const DECADES = [1, 10, 100, 1000, 10000, 60000, 600000, 3600000, 36000000, 86400000, 864000000];

/* Of times that lie far apart: from ms to days. */
function logarithmic(min, max) {
    const low = DECADES.findLast((d) => d <= Math.max(1, min)), high = DECADES.find((d) => d >= max && d > low) ?? DECADES.at(-1);
    const inside = DECADES.filter((d) => d > low && d < high), middle = inside[Math.floor(inside.length / 2)];
    return { top: high, ticks: [high, middle, low].filter((d) => d !== undefined),
        y: (v) => HEIGHT - 1 - (Math.log(Math.max(v, low) / low) / Math.log(high / low)) * (HEIGHT - 2) };
}

function scaleOf(chart, data) {
    const values = chart.series.flatMap(([list]) => data[list]).filter((v) => v !== null);
    const max = Math.max(0, ...values);
    return chart.unit === 'time' ? logarithmic(values.length > 0 ? Math.min(...values) : 1, max) : linear(max);
}

/* ---- drawings ---- */

/* [from, to) of each stretch of points for which `is` holds. */
function stretches(length, is) {
    const found = [];
    for (let i = 0; i < length; i++) {
        if (is(i) && found.at(-1)?.[1] === i)
            found.at(-1)[1]++;
        else if (is(i))
            found.push([i, i + 1]);
    }
    return found;
}

function drawLine(values, scale, kind) {
    const step = WIDTH / values.length;
    const point = (i) => `${((i + 0.5) * step).toFixed(1)} ${scale.y(values[i]).toFixed(1)}`;
    const d = stretches(values.length, (i) => values[i] !== null).map(([from, to]) => {
        const points = Array.from({ length: to - from }, (_, i) => point(from + i));
        return 'M' + points.join('L') + (points.length === 1 ? 'h0' : ''); /* a point alone is a dot */
    }).join('');
    return d !== '' && el(`path.line.${kind}`, { d });
}

function drawBars(values, scale, kind) {
    const step = WIDTH / values.length, gap = Math.min(2, step / 4);
    return values.map((v, i) => v > 0 && el(`rect.stick.${kind}`, { x: (i * step + gap / 2).toFixed(1), width: (step - gap).toFixed(1),
        y: Math.min(scale.y(v), HEIGHT - 3).toFixed(1), height: Math.max(2, HEIGHT - 1 - scale.y(v)).toFixed(1) }));
}

function drawing(chart, data, scale, at) {
    const known = data[chart.knownBy], step = WIDTH / known.length;
    return [
        stretches(known.length, (i) => known[i] === null).map(([from, to]) => el('rect.gap', { x: (from * step).toFixed(1), width: ((to - from) * step).toFixed(1), y: 0, height: HEIGHT })),
        scale.ticks.map((v) => el('line.tick', { x1: 0, x2: WIDTH, y1: scale.y(v).toFixed(1), y2: scale.y(v).toFixed(1) })),
        chart.series.map(([list, form, kind]) => form === 'bar' ? drawBars(data[list], scale, kind) : drawLine(data[list], scale, kind)),
        at !== null && el('line.cursor', { x1: ((at + 0.5) * step).toFixed(1), x2: ((at + 0.5) * step).toFixed(1), y1: 0, y2: HEIGHT }),
    ];
}

/* ---- what it says ---- */

function timeOf(data, i) {
    const from = data.from_ms + i * data.step_ms, to = Math.min(from + data.step_ms, data.now_ms);
    return data.step_ms === 60000 ? moment(from, false) : t('chart_between', { from: moment(from, false), to: clockTime(to) });
}

function valueOf(chart, data, list, i) {
    const value = data[list][i];
    if (value !== null)
        return SAID[chart.unit](value);
    return list.startsWith('p') && list !== 'parked' && data.delivered[i] !== null ? t('chart_nothing') : t('chart_unknown');
}

const nameOf = (kind) => t(`chart_s_${kind}`);

function sentenceOf(chart, data, i) {
    return `${timeOf(data, i)}: ` + chart.series.map(([list, , kind]) => `${nameOf(kind)} ${valueOf(chart, data, list, i)}`).join(', ');
}

export function charts(app) {
    let hours = SPANS[0], data = null, due = 0, reading = false, isAway = false;
    let at = null; /* the point that is read out; null: the newest */

    async function read() {
        reading = true;
        const wanted = hours;
        try {
            const got = await app.api.trends(wanted);
            data = wanted === hours ? got : data;
            isAway = false;
        } catch {
            isAway = true; /* what is shown says until when it is */
        }
        due = wanted === hours ? Date.now() + EVERY_MS[hours] : 0;
        reading = false;
        app.redraw();
    }

    function choose(span) {
        hours = span;
        data = null;
        at = null;
        due = 0;
        tick();
        app.redraw();
    }

    function tick() {
        if (!reading && Date.now() >= due && !document.hidden)
            read();
    }

    function point(i) {
        at = i;
        app.redraw();
    }

    const last = () => data.delivered.length - 1;

    function onMove(event) {
        const box = event.currentTarget.getBoundingClientRect();
        point(Math.min(last(), Math.max(0, Math.floor((event.clientX - box.left) / box.width * (last() + 1)))));
    }

    function onKey(event) {
        const now = at ?? last(), far = Math.round(last() / 10);
        const to = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1, PageDown: now - far, PageUp: now + far, Home: 0, End: last() }[event.key];
        if (event.key === 'Escape')
            point(null);
        if (to === undefined)
            return;
        event.preventDefault();
        point(Math.min(last(), Math.max(0, to)));
    }

    function spans() {
        return el('div.spans', { role: 'group', 'aria-label': t('chart_spans') },
            SPANS.map((span) => el('button.plain', { type: 'button', 'aria-pressed': String(span === hours), onclick: () => choose(span) }, t(`chart_span_${span}`))));
    }

    function timeAxis() {
        const step = (last() + 1) / LABELS, label = hours === 168 ? dayName : clockTime;
        return el('div.times', { 'aria-hidden': 'true' }, Array.from({ length: LABELS }, (_, i) => el('span', {}, label(data.from_ms + Math.round(i * step) * data.step_ms))), el('span', {}, t('chart_now')));
    }

    function figureOf(chart) {
        const scale = scaleOf(chart, data), i = at ?? last();
        const plot = el('div.plot', { tabindex: 0, role: 'slider', 'aria-label': t(`chart_${chart.name}`), 'aria-valuemin': 0, 'aria-valuemax': last(), 'aria-valuenow': i,
            'aria-valuetext': sentenceOf(chart, data, i), onpointermove: onMove, onpointerdown: onMove, onpointerleave: () => point(null), onkeydown: onKey, onblur: () => point(null) },
        el('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, drawing(chart, data, scale, at)));
        return el('figure.chart', { 'data-key': chart.name },
            el('figcaption', {}, t(`chart_${chart.name}`)),
            el('div.legend', {}, el('span.soft', {}, timeOf(data, i)), chart.series.map(([list, form, kind]) => el('span', {},
                el('svg.swatch', { viewBox: '0 0 16 8', 'aria-hidden': 'true' }, form === 'bar' ? el(`rect.stick.${kind}`, { width: 16, height: 8 }) : el(`path.line.${kind}`, { d: 'M1 4L15 4' })),
                `${nameOf(kind)} `, el('strong', {}, valueOf(chart, data, list, i))))),
            el('div.field-of', {}, el('div.values', { 'aria-hidden': 'true' }, scale.ticks.map((v) => el('span', {}, SAID[chart.unit](v)))), plot),
            timeAxis());
    }

    /* For those who do not see the drawings, and for those who want the numbers. */
    function table() {
        const columns = CHARTS.flatMap((chart) => chart.series.map(([list, , kind]) => [chart, list, kind]));
        const rows = Array.from({ length: last() + 1 }, (_, i) => last() - i);
        return el('details', { 'data-key': 'numbers' }, el('summary', {}, t('chart_table')),
            el('div.scroll', { tabindex: 0, role: 'region', 'aria-label': t('chart_table') },
                el('table', {},
                    el('thead', {}, el('tr', {}, el('th.text', { scope: 'col' }, t('chart_time')), columns.map(([, , kind]) => el('th', { scope: 'col' }, t(`chart_h_${kind}`))))),
                    el('tbody', {}, rows.map((i) => el('tr', {}, el('th.text', { scope: 'row' }, timeOf(data, i)), columns.map(([chart, list]) => el('td', {}, valueOf(chart, data, list, i)))))))));
    }

    return {
        tick,
        draw: () => [
            el('div.head', { 'data-key': 'spans' }, el('h2', { id: 'flow' }, t(`chart_title_${hours}`)), spans()),
            data === null ? el('div.card.charts', { 'data-key': 'charts' }, el('p.soft', {}, t(isAway ? 'chart_away' : 'loading')))
                          : el('div.card.charts', { 'data-key': 'charts' }, CHARTS.map(figureOf), table()),
        ],
    };
}
