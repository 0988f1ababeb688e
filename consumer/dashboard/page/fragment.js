/* fragment: takes a token out of the link's fragment before anything else runs, so that it is neither
 * seen over a shoulder nor kept in the history. It lives in this tab alone (sessionStorage). */
(function () {
    'use strict';
    function take() {
        const found = /^#token=([\w.~+/=-]+)$/.exec(location.hash);
        if (!found)
            return;
        sessionStorage.setItem('token', found[1]);
        sessionStorage.removeItem('renewal');
        history.replaceState(null, '', location.pathname + '#/');
        window.dispatchEvent(new Event('token'));
    }
    take();
    window.addEventListener('hashchange', take);
})();
