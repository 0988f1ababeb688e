/* main: the session, the routes, and one redraw for all of it. */
import { connect } from './api.js';
import { announce, closeDialog, el, icon, morph } from './dom.js';
import { follow } from './live.js';
import { overview } from './overview.js';
import { failure, skeleton } from './parts.js';
import { watchPause } from './pausing.js';
import { watchRequests } from './requests.js';
import { dropToken, keepToken, readToken, shareSession } from './session.js';
import { verdict } from './verdict.js';
import { duration, language, otherLanguages, speak, t, zone } from './words.js';

const EXPIRY_NOTICE_MS = 5 * 60000;
const CLOCKS_DIFFER_MS = 2000;
const VIEWS_KEPT = 4;
const SIGN_IN_FETCHED_AFTER_MS = 3000;

const main = document.getElementById('main');
const views = new Map(); /* by route, with where it was scrolled to: going back is coming back */
let route = null, view = null, scheduled = false, session = null;
let ended = false; /* the session was over, as against never begun */
let begunAt = 0; /* of the session, by this machine's clock */
let told = null; /* the verdict that was last told */

const app = {
    api: connect(() => readToken() ?? '', sessionOver),
    status: null, statusError: null, redraw, announce,
    clockOffset: 0,
    now: () => Date.now() + app.clockOffset,
    staleSince: () => live.staleSince(),
    refresh: () => live.refresh(),
    ask,
    redrive: (reason) => ask('askRedrive', app, reason, (started) => app.bulkStarted(started)),
    force: (shown) => ask('askForce', shown, () => app.retry(shown, true)),
    subject: () => session?.subject ?? null,
    orderLink: () => session?.order_link ?? null,
    signIn, sessionOver, onChange, onOrder, back,
    onRequest: () => view?.onRequest?.(),
};
watchRequests(app);
watchPause(app);
const share = shareSession({ adopted: adopt, ended: () => session !== null && signedOut() });
const live = follow(app);

/* ---- questions ---- */

/* A function of dialogs.js, which is fetched for the first one. */
async function ask(name, ...about) {
    let dialogs;
    try {
        dialogs = await import('./dialogs.js');
    } catch {
        announce(t('x_away'));
        return;
    }
    dialogs[name](...about);
}

/* ---- the session ---- */

/* Null when it worked, else what to tell. renewal: of Supabase's (session.js). */
async function signIn(token, renewal = null) {
    keepToken(token, renewal);
    const problem = await openSession();
    if (problem === null)
        share.tell();
    return problem;
}

async function openSession() {
    try {
        session = await app.api.session();
    } catch (error) {
        dropToken();
        return error.status === 0 ? t('stale_title') : t('login_refused');
    }
    begunAt = Date.now();
    app.clockOffset = session.now_ms - begunAt;
    if (session.operator !== true) {
        session = null;
        dropToken();
        return t('login_not_operator');
    }
    ended = false;
    live.start();
    app.readAsked();
    go();
    return null;
}

/* The token is another one: renewed, or another tab's. Calls that failed meanwhile are repeated. */
async function adopt() {
    if (session === null) {
        begin();
        return;
    }
    try {
        session = await app.api.session();
        onChange(true);
    } catch {
        /* the next call tells */
    }
}

function leave() {
    dropToken();
    session = null;
    live.stop();
    views.clear();
    closeDialog();
    go();
}

/* refused: the token of a call; the stream does not say which one it began with. */
async function sessionOver(refused) {
    const token = readToken(), left = session === null ? 0 : session.expires_ms - app.now();
    if (session === null || (refused === undefined ? left > CLOCKS_DIFFER_MS : refused !== token))
        return; /* signing in: the form says it; or it was the one before */
    await share.renewBefore(0);
    if (session === null || readToken() !== token)
        return; /* it is over already, or goes on */
    ended = true;
    leave();
}

function signedOut() {
    ended = false;
    app.clearRequests();
    sessionStorage.removeItem('cleared'); /* whoever signs in next has not seen them */
    leave();
}

function signOut() {
    share.revoke();
    share.signedOut();
    signedOut();
}

/* ---- routes ---- */

/* Views whose code is fetched when one is opened: the first view is small. */
const FETCHED = { login: () => import('./login.js'), orders: () => import('./orders.js'), order: () => import('./order.js') };
const fetched = new Map();

function later(name, make) {
    let inner = fetched.has(name) ? make(fetched.get(name)) : null, failed = false;

    async function fetchIt() {
        try {
            fetched.set(name, await FETCHED[name]());
        } catch {
            failed = true;
            app.redraw();
            return;
        }
        inner = make(fetched.get(name));
        if (view === outer) {
            draw();
            main.querySelector('h1')?.focus({ preventScroll: true });
        }
    }

    function again() {
        failed = false;
        fetchIt();
    }

    const outer = {
        title: () => inner?.title() ?? t('loading'),
        tick: () => failed ? again() : inner?.tick?.(),
        onChange: (unnamed) => inner?.onChange(unnamed),
        onEnter: (scroll) => inner?.onEnter ? inner.onEnter(scroll) : inner?.onChange(true),
        onOrder: (changed) => inner?.onOrder?.(changed),
        onRequest: () => inner?.onRequest?.(),
        draw: () => inner !== null ? inner.draw() : failed ? failure({ message: t('x_away') }, () => location.reload()) : skeleton(),
    };
    if (inner === null)
        fetchIt();
    return outer;
}

function viewOf(hash) {
    const [path, search] = hash.replace(/^#/, '').split('?');
    const query = new URLSearchParams(search ?? '');
    if (path === '/orders')
        return later('orders', (module) => module.orders(app, query));
    const found = /^\/order\/(.+)$/.exec(path);
    if (found) {
        try {
            const key = decodeURIComponent(found[1]);
            return later('order', (module) => module.order(app, key));
        } catch {
            return overview(app);
        }
    }
    return overview(app);
}

function enter(hash) {
    const kept = views.get(hash);
    views.delete(hash);
    const entry = kept ?? { view: viewOf(hash), scroll: 0 };
    views.set(hash, entry);
    if (views.size > VIEWS_KEPT)
        views.delete(views.keys().next().value);
    if (kept !== undefined)
        (kept.view.onEnter ?? kept.view.onChange)(kept.scroll);
    return entry;
}

function go() {
    const hash = session === null ? 'login' : location.hash;
    if (route !== null && views.has(route))
        views.get(route).scroll = scrollY;
    const first = route === null;
    route = hash;
    const entry = session === null ? { view: later('login', (module) => module.login(app, ended)), scroll: 0 } : enter(hash);
    view = entry.view;
    main.replaceChildren();
    draw();
    showSearched();
    scrollTo(0, entry.scroll);
    if (!first || session === null)
        (main.querySelector('h1'))?.focus({ preventScroll: true });
}

/* The search box says what the address says. */
function showSearched() {
    const box = document.getElementById('q'), [path, query] = location.hash.split('?');
    if (box !== null)
        box.value = path === '#/orders' ? new URLSearchParams(query).get('q') ?? '' : '';
}

function back(event) {
    if (views.size > 1) {
        event.preventDefault();
        history.back();
    }
}

function onChange(unnamed) {
    view?.onChange(unnamed);
}

function onOrder(changed) {
    for (const entry of views.values())
        entry.view.onOrder?.(changed);
    redraw();
}

/* ---- drawing ---- */

function navLink(href, name) {
    const here = location.hash.split('?')[0] || '#/';
    return el('a', { href, 'aria-current': here === href && 'page' }, t(name));
}

function search(event) {
    event.preventDefault();
    const q = document.getElementById('q').value.trim();
    location.hash = '#/orders' + (q === '' ? '' : '?' + new URLSearchParams({ q }));
}

function bar() {
    const mark = el('a.mark', { href: '#/' }, t('title'));
    if (session === null)
        return [mark];
    const on = live.isLive();
    return [
        mark,
        el('nav', { 'aria-label': t('title') }, navLink('#/', 'home'), navLink('#/orders', 'orders')),
        el('form.search', { role: 'search', onsubmit: search },
            el('label.unseen', { for: 'q' }, t('search_label')),
            el('input', { id: 'q', type: 'search', placeholder: t('search_hint'), autocomplete: 'off', spellcheck: 'false', enterkeyhint: 'search' }),
            el('button.quiet', { type: 'submit' }, t('search'))),
        el(`span.live.${on ? 'on' : 'off'}`, {}, t(on ? 'live' : 'live_not')),
    ];
}

function languages() {
    return otherLanguages().map(([tag, name]) => el('button.plain', { type: 'button', lang: tag, onclick: () => speak(tag) }, name));
}

function foot() {
    if (session === null)
        return languages();
    const left = session.expires_ms - app.now();
    return [
        el('span', {}, session.subject ?? session.role ?? ''),
        left < EXPIRY_NOTICE_MS && !share.isRenewed() && el('span.warning', {}, t('expires_soon', { time: duration(left) })),
        el('span', {}, t('zone', { zone: zone() })),
        ...languages(),
        el('button.plain', { type: 'button', onclick: signOut }, t('sign_out')),
    ].filter(Boolean);
}

/* ---- the verdict, on every view ---- */

/* Null before there is one: not signed in, or nothing was heard yet. */
function verdictNow() {
    return session === null || app.status === null ? null : verdict(app.status, app.now(), app.staleSince());
}

function isOverview() {
    return session !== null && (location.hash.split('?')[0] || '#/') === '#/';
}

/* The overview has it as its first section. */
function banner(said) {
    if (said === null || said.look === 'good' || isOverview())
        return [];
    return [el(`a.banner.${said.look}`, { href: '#/' }, icon(said.look), el('span', {}, said.title))];
}

/* For the operator who is reading something else. */
function showIcon(look) {
    const link = document.querySelector('link[rel=icon]'), was = link.getAttribute('href');
    const href = was.replace(/icon-\w+/, `icon-${look}`); /* where the other ones are */
    if (was !== href)
        link.setAttribute('href', href);
}

function titleOf(said) {
    const own = view.title();
    return [said !== null && said.look !== 'good' && said.title !== own && said.title, own, t('title')].filter(Boolean).join(' · ');
}

/* A screen reader does not see that the verdict has changed, so it is announced. */
function tell(said) {
    if (said !== null && told !== null && said.key !== told)
        announce(said.title);
    told = said?.key ?? null;
}

function draw() {
    scheduled = false;
    const held = document.activeElement, said = verdictNow();
    morph(document.getElementById('bar'), bar());
    morph(document.getElementById('banner'), banner(said));
    morph(main, [view.draw()].flat(Infinity).filter(Boolean));
    morph(document.getElementById('foot'), foot());
    document.title = titleOf(said);
    showIcon(said?.look ?? 'blind');
    tell(said);
    if (held !== null && !held.isConnected) /* what had the focus is gone: not to the page's top */
        main.querySelector('h1')?.focus({ preventScroll: true });
}

function redraw() {
    if (scheduled || view === null)
        return;
    scheduled = true;
    if (document.hidden) /* no frames there, but a title and an icon */
        setTimeout(draw, 0);
    else
        requestAnimationFrame(draw);
}

/* ---- the start ---- */

async function begin() {
    if (readToken() === null || share.isRenewed()) /* what a tab kept while it slept may be used up */
        await share.ask();
    if (readToken() === null) {
        go();
        return;
    }
    const problem = await openSession();
    if (problem !== null) {
        ended = problem === t('login_refused');
        go();
    }
}

document.documentElement.lang = language;
const skip = document.getElementById('skip');
skip.textContent = t('skip');
skip.onclick = (event) => { /* the address is the route: it must not become "#main" */
    event.preventDefault();
    main.focus();
};
window.addEventListener('hashchange', () => {
    if (!location.hash.startsWith('#token=')) {
        closeDialog();
        go();
    }
});
window.addEventListener('token', () => {
    leaveQuietly();
    begin();
});
/* A session may end while nothing can be fetched. */
function fetchSignIn() {
    if (session !== null && !fetched.has('login') && Date.now() - begunAt >= SIGN_IN_FETCHED_AFTER_MS)
        FETCHED.login().then((module) => fetched.set('login', module), () => { /* the next tick asks again */ });
}

setInterval(() => { /* times grow older */
    fetchSignIn();
    const left = session === null ? 0 : session.expires_ms - app.now();
    if (session !== null)
        share.renewBefore(left);
    if (session !== null && left <= 0) /* though no event brings it up */
        sessionOver();
    if (view?.tick?.() !== false)
        redraw();
}, 1000);
document.addEventListener('visibilitychange', () => { /* a frame asked for before may never come */
    scheduled = false;
    redraw();
});
begin();

function leaveQuietly() {
    session = null;
    live.stop();
    views.clear();
}
