/* dom: elements from plain descriptions, and a redraw that keeps focus.
 *
 * Text enters by text nodes alone: there is no way here to write markup from data. */

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS = new Set(['svg', 'path', 'rect', 'line', 'circle', 'title', 'g']);

/* el('a.quiet', {href, onclick}, 'text', child, …). null, undefined and false children are left out;
 * so are attributes of these values. onX are handlers. */
export function el(description, attributes = {}, ...children) {
    const [tag, ...classes] = description.split('.');
    const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
    if (classes.length > 0)
        node.setAttribute('class', classes.join(' '));
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false)
            continue;
        if (name.startsWith('on'))
            node[name] = value;
        else
            node.setAttribute(name, value === true ? '' : String(value));
    }
    node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
    return node;
}

const HANDLERS = ['onclick', 'onsubmit', 'oninput', 'onchange', 'onkeydown', 'onpointermove', 'onpointerdown', 'onpointerleave', 'onblur'];

function same(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName &&
        (a.nodeType !== Node.ELEMENT_NODE || a.getAttribute('data-key') === b.getAttribute('data-key'));
}

function morphNode(old, next) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
        if (old.data !== next.data)
            old.data = next.data;
        return;
    }
    for (const { name } of [...old.attributes])
        if (!next.hasAttribute(name) && !(name === 'open' && old.localName === 'details'))
            old.removeAttribute(name);
    for (const { name, value } of next.attributes)
        if (old.getAttribute(name) !== value)
            old.setAttribute(name, value);
    for (const handler of HANDLERS)
        if (old[handler] !== next[handler])
            old[handler] = next[handler];
    morph(old, [...next.childNodes]);
}

/* Makes parent's children those of `next`, reusing what is there: focus, scroll position and what is
 * typed stay. Siblings with a data-key are found again by it. */
export function morph(parent, next) {
    const keys = new Set(next.map((node) => node.dataset?.key));
    for (const child of [...parent.children])
        if (child.dataset.key !== undefined && !keys.has(child.dataset.key))
            child.remove();
    let at = parent.firstChild;
    for (const node of next) {
        let match = at;
        const key = node.nodeType === Node.ELEMENT_NODE ? node.getAttribute('data-key') : null;
        if (key !== null)
            while (match !== null && !same(match, node))
                match = match.nextSibling;
        if (match === null || !same(match, node)) {
            parent.insertBefore(node, at);
            continue;
        }
        if (match !== at)
            parent.insertBefore(match, at);
        else
            at = at.nextSibling;
        morphNode(match, node);
    }
    while (at !== null) {
        const gone = at;
        at = at.nextSibling;
        gone.remove();
    }
}

/* Tells a screen reader, once. */
export function announce(text) {
    const region = document.getElementById('polite');
    region.textContent = '';
    setTimeout(() => {
        region.textContent = text;
    }, 50);
}

export function icon(name) {
    const paths = {
        good: 'M6.5 12.5l3.5 3.5 7.5-8.5',
        wait: 'M12 7v5.2l3.4 2',
        bad: 'M12 6.8v6.4M12 16.9v.1',
        idle: 'M8 12h8',
        blind: 'M9.4 9.4a2.7 2.7 0 1 1 4 2.4c-.9.5-1.4 1-1.4 2M12 17v.1',
    };
    return el('svg.icon', { viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' },
        el('circle', { cx: 12, cy: 12, r: 10 }), el('path', { d: paths[name] }));
}

export function closeDialog() {
    const box = document.getElementById('dialog');
    if (box.open)
        box.close();
}
