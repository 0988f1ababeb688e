/* reasons: from the closed list of reasons to plain words, and what to do about each. */
import { has, sentence, t } from './words.js';

const VALIDATION = new Set(['missing', 'negative', 'not_a_number', 'not_whole', 'bad_time', 'bad_text']);

/* "http:503" → "answer 503", "timeout" → "no answer in time". */
export function lastWords(text) {
    const [word, rest] = text.split(':');
    if (word === 'http')
        return t('l_status', { status: rest });
    return has(`l_${word}`) ? t(`l_${word}`) : text;
}

function field(name) {
    return has(`f_${name}`) ? t(`f_${name}`) : name;
}

function inWords(reason, word, rest) {
    if (VALIDATION.has(word) || word === 'unavailable')
        return t(`r_${word}`, { field: field(rest) });
    if (word === 'http')
        return rest === '413' ? t('r_too_large') : t('r_refused', { status: rest });
    if (word === 'exhausted' || word === 'endpoint')
        return t(`r_${word}`, { last: lastWords(rest) });
    if (['undecodable', 'unknown_result', 'overtaken'].includes(word))
        return t(`r_${word}`);
    return reason === '' ? t('r_none') : t('r_failed', { last: lastWords(reason) });
}

/* {why, whole, todo, hopeless}: why as part of a sentence, whole as one; hopeless: the same bytes can
 * only be set aside again. */
export function explain(order) {
    const reason = order.reason ?? '';
    const at = reason.indexOf(':');
    const word = at < 0 ? reason : reason.slice(0, at), rest = at < 0 ? '' : reason.slice(at + 1);
    const retrying = order.state === 'retrying';
    const why = retrying && word === 'http' ? t('r_failed', { last: lastWords(reason) })
                                            : inWords(reason, word, rest);
    const hopeless = VALIDATION.has(word) || word === 'unavailable';
    let todo = word === 'unavailable' ? 'a_unavailable' : hopeless ? 'a_fix' : 'a_refused';
    if (retrying)
        todo = word === 'timeout' ? 'a_wait_unknown' : has(`a_${word}`) ? `a_${word}` : 'a_wait';
    else if (['undecodable', 'exhausted', 'endpoint', 'unknown_result', 'overtaken'].includes(word))
        todo = `a_${word}`;
    return { why, whole: sentence(why) + '.', todo: t(todo), hopeless };
}

/* The breaker's last answer, out of "…; the last answer: http:503". */
export function endpointTrouble(text) {
    const found = /last answer: (\S+)/.exec(text ?? '');
    return found ? lastWords(found[1]) : (text ?? '');
}
