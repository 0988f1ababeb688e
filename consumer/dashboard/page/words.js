/* words: everything the page says, in English or French: the reader's choice, else the browser's
 * language.
 *
 * A text is a string with {names}, or an object of plural forms chosen by {n}: one for a number of
 * its own, "1", else that of the language's rules (Unicode CLDR). */
const OFFERED = { en: 'English', fr: 'Français' };

const chosen = localStorage.getItem('language');
const preferred = navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() in OFFERED) ?? 'en';

export const language = chosen in OFFERED ? chosen : preferred.slice(0, 2).toLowerCase();
const words = language === 'fr' ? (await import('./words-fr.js')).fr : (await import('./words-en.js')).en;
/* Those that the first view does without: awaited by what is fetched later. */
export async function learnMore() {
    Object.assign(words, language === 'fr' ? (await import('./words-more-fr.js')).more : (await import('./words-more-en.js')).more);
}

const locale = navigator.languages.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? language;
const plural = new Intl.PluralRules(locale);
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const minute = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const zoned = new Intl.DateTimeFormat(locale, { timeZoneName: 'shortOffset' });
const full = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit',
    second: '2-digit', hourCycle: 'h23', timeZoneName: 'shortOffset' });

export function has(name) {
    return name in words;
}

export function t(name, values = {}) {
    let text = words[name] ?? name;
    if (typeof text === 'object')
        text = text[values.n] ?? text[plural.select(values.n)] ?? text.other;
    if (language === 'fr')
        text = text.replace(/ ([:;!?»])/g, '\u00a0$1').replace(/« /g, '«\u00a0');
    return text.replace(/\{(\w+)\}/g, (all, key) => {
        const value = values[key];
        return typeof value === 'number' ? number(value) : String(value ?? all);
    });
}

export function number(n) {
    return whole.format(n);
}

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/* "8 s", "12 min", "3 h 05", "2 d": as short as one reads it. */
export function duration(ms) {
    if (ms < MINUTE)
        return t('seconds', { n: Math.max(0, Math.round(ms / SECOND)) });
    if (ms < HOUR)
        return t('minutes', { n: Math.floor(ms / MINUTE) });
    if (ms < DAY)
        return t('hours', { n: Math.floor(ms / HOUR), minutes: String(Math.floor((ms % HOUR) / MINUTE)).padStart(2, '0') });
    return t('days', { n: Math.floor(ms / DAY) });
}

/* Of a request: "35 ms", "1.4 s"; from ten seconds on as above. */
export function took(ms) {
    if (ms < SECOND)
        return t('milliseconds', { n: ms });
    return ms < 10 * SECOND ? t('seconds', { n: tenths.format(ms / SECOND) }) : duration(ms);
}

export function ago(ms, now) {
    return now - ms < 5 * SECOND ? t('just_now') : t('ago', { time: duration(now - ms) });
}

/* The time of day, with the date when that is another day. */
export function moment(ms, seconds = true) {
    const date = new Date(ms);
    const time = (seconds ? clock : minute).format(date);
    return date.toDateString() === new Date().toDateString() ? time : `${day.format(date)}, ${time}`;
}

/* The time of day alone, and a day. */
export const clockTime = (ms) => minute.format(new Date(ms));
export const dayName = (ms) => day.format(new Date(ms));

export function fullMoment(ms) {
    return full.format(new Date(ms));
}

/* The zone that all times are in: "Africa/Algiers, GMT+1". */
export function zone() {
    const { timeZone } = zoned.resolvedOptions();
    const offset = zoned.formatToParts(new Date()).find((part) => part.type === 'timeZoneName').value;
    return timeZone === offset ? timeZone : `${timeZone}, ${offset}`;
}

/* The languages beside this one, by their own names: [tag, name]. */
export function otherLanguages() {
    return Object.entries(OFFERED).filter(([tag]) => tag !== language);
}

/* The page begins again in it: every text is made anew, and the session is the tab's. */
export function speak(tag) {
    localStorage.setItem('language', tag);
    location.reload();
}

export function sentence(text) {
    return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}
