#!/usr/bin/env python3
"""docker/wordpress/elementor-sync in a real WordPress, with orders from the real program.

usage: wordpress.py PROGRAM TOOLS WORDPRESS FPM NGINX [--plugin FILE] [TEST...]
  TOOLS      the folder of mock_kafka
  WORDPRESS  its files, of Debian's package; FPM and NGINX: programs
  --plugin   another file in place of the plugin's: a mutated one must fail

Elementor Pro's tables are stand-ins (wordpress_site.py). Its last line is: N passed, N failed.
"""
import concurrent.futures, html, http.cookiejar, json, random, re, signal, sys, time, traceback
import urllib.error, urllib.parse, urllib.request

from processes import wait_for
from sender import Sender
from signed import (KEY, ODD_TEXTS, OTHER, PRICES, STRANGER, assert_only_signed_is_taken, assert_signed_is_taken, body_of,
                    order, rows_of, signed)
from wordpress_site import ELEMENTOR_TABLES, PLUGIN, Site

KILLS, PATIENCE = 40, 60


def send(site, id, body=None, **how):
    body = body or body_of(order(1))
    return site.post(body, signed(id, body, **how))


def counts(site):
    """(claims, posts, Submissions, logs, what handlers wrote): of each one for each order."""
    return tuple(site.number(f"SELECT COUNT(*) FROM wp_{what}") for what in (
        "elementor_sync_claims", "posts WHERE post_type = 'elementor_sync_order'", "e_submissions", "e_submissions_actions_log",
        "options WHERE option_name LIKE 'handled-%'"))


def assert_repaired(site, failures):
    """failures: (id, what was answered). After whatever went wrong: the next attempt is taken, a third one is a
    duplicate, and all is there once."""
    for id, (status, text, _) in failures:
        assert status != 200, f"{id}: 200 for a failure: {text}"
    site.fault("")
    for duplicate in (False, True):
        for id, _ in failures:
            status, text, _ = send(site, id)
            assert status == 200 and json.loads(text)["duplicate"] is duplicate, (id, status, text)
    assert counts(site) == (len(failures),) * 5, (len(failures), counts(site))
    assert site.number("SELECT COUNT(*) FROM wp_postmeta WHERE meta_key = '_elementor_sync_order_id'") == len(failures)
    site.empty()


def meta_of(site, id):
    rows = site.sql("SELECT m.meta_key, HEX(m.meta_value) FROM wp_postmeta m JOIN wp_elementor_sync_claims c ON c.post_id = m.post_id"
                    f" WHERE c.webhook_id = '{id}' AND m.meta_key LIKE '\\_elementor\\_sync\\_%'")
    return {key.removeprefix("_elementor_sync_"): bytes.fromhex(value).decode() for key, value in rows}


def values_of(site, id):
    rows = site.sql("SELECT v.`key`, HEX(v.value) FROM wp_e_submissions_values v JOIN wp_e_submissions s ON s.id = v.submission_id"
                    f" WHERE s.meta LIKE '%\"{id}\"%'")
    return {key: bytes.fromhex(value).decode() for key, value in rows}


# ---- the tests ----

def an_order_is_stored_to_the_letter(site, _):
    for n, text in enumerate(ODD_TEXTS):
        fields = order(n, client_name=text, product_name=text * 2, unit_price=PRICES[n % len(PRICES)])
        for shape in ("nested", "flat"):
            id, body = f"msg_{shape}{n}", body_of(fields, shape)
            status, said, _ = send(site, id, body)
            assert status == 200 and json.loads(said)["ok"] is True, (status, said)
            wanted = {name: str(value) for name, value in fields.items() if value is not None}
            meta = meta_of(site, id)
            assert meta.pop("body") == body, (meta, body)
            assert meta == wanted | {"webhook_id": id, "form_name": "order_confirmation"}, (meta, wanted)
            assert values_of(site, id) == wanted | {"client_address": ""}, values_of(site, id)
    assert site.sql("SELECT DISTINCT post_status, post_type FROM wp_posts WHERE post_title LIKE 'CMD-%'") == [["private", "elementor_sync_order"]]
    main = site.sql("SELECT DISTINCT v.`key` FROM wp_e_submissions s JOIN wp_e_submissions_values v ON v.id = s.main_meta_id")
    assert main == [["client_name"]], main


def a_long_text_is_stored(site, _):
    body = body_of(order(1, client_name='"\\' * 200_000))
    status, said, _ = send(site, "msg_long", body)
    assert status == 200, (status, said)
    assert meta_of(site, "msg_long")["body"] == body


def what_is_no_order_is_refused(site, _):
    for body in ('{"form_name":"x","fields":{}}', '{"fields":{"order_id":1}}'.replace("1", "{}"), "[]", '"text"', "{", "order_id=1",
                 '{"fields":{"order_id":"1","client_name":["a"]}}'):
        status, said, _ = send(site, "msg_no_order", body)
        assert status in (400, 422), (body, status, said)
    status, said, _ = send(site, "msg_ping", '{"form_name":"elementor_sync_ping","fields":{}}')
    assert status == 200, said
    assert counts(site) == (0, 0, 0, 0, 0)


def only_what_is_signed_is_taken(site, _):
    assert_only_signed_is_taken(lambda *request: site.post(*request)[:2])
    assert counts(site) == (0, 0, 0, 0, 0)
    assert_signed_is_taken(lambda *request: site.post(*request)[:2])


def several_keys_may_be_set(site, _):
    try:
        site.set_key_constant(f"{OTHER} {KEY}")
        for id, key in (("msg_1", KEY), ("msg_2", OTHER)):
            assert send(site, id, keys=(key,))[0] == 200
        assert send(site, "msg_3", keys=(STRANGER,))[0] == 401
        for text in (f"{KEY} whsec_short", "", KEY.removeprefix("whsec_"), KEY + "*"):
            site.set_key_constant(text)
            assert send(site, "msg_4")[0] == 503, text
    finally:
        site.set_key_constant(KEY)


def site_is_in_the_handler(site):
    """Its row is there, uncommitted."""
    wait_for("the handler", lambda: site.number("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;"
                                                "SELECT COUNT(*) FROM wp_options WHERE option_name LIKE 'handled-%'"))


def one_id_is_one_order(site, _):
    said = [json.loads(send(site, "msg_1")[1]) for _ in range(3)]
    assert [s["duplicate"] for s in said] == [False, True, True], said
    assert len({s["post_id"] for s in said}) == 1, said
    send(site, "MSG_1")  # ids are bytes
    assert counts(site) == (2, 2, 2, 2, 2), counts(site)


def one_id_at_once_is_one_order(site, _):
    """Four workers, each holding what the others ask for."""
    site.fault("slow")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda n: send(site, f"msg_{n % 2}"), range(8)))
    assert [s[0] for s in said] == [200] * 8, said
    assert sorted(json.loads(s[1])["duplicate"] for s in said) == [False] * 2 + [True] * 6, said
    assert counts(site) == (2, 2, 2, 2, 2), counts(site)


def failed(site, fault, id):
    site.fault(fault)
    return id, send(site, id)


def a_handler_that_fails_is_no_success(site, _):
    assert_repaired(site, [failed(site, fault, f"msg_{fault}") for fault in ("throw", "exit", "rollback")])


def a_handler_that_commits_by_itself(site, _):
    """Its own rows are twice there; the order is not."""
    site.fault("commit")
    assert send(site, "msg_commit")[0] == 500
    assert send(site, "msg_commit")[0] == 500
    site.fault("")
    assert json.loads(send(site, "msg_commit")[1])["duplicate"] is False
    assert json.loads(send(site, "msg_commit")[1])["duplicate"] is True
    assert counts(site)[:4] == (1, 1, 1, 1), counts(site)


def what_happens_behind_the_commit(site, _):
    site.fault("throw behind")
    status, said, _ = send(site, "msg_throw")
    assert status == 200, said
    site.fault("echo")
    send(site, "msg_echo")
    site.fault("exit behind")
    assert send(site, "msg_exit")[0] == 500
    for id in ("msg_throw", "msg_echo", "msg_exit"):
        assert json.loads(send(site, id)[1])["duplicate"] is True
    assert counts(site) == (3, 3, 3, 3, 3), counts(site)


def statements_of(site):
    """The number of statements that one order takes."""
    count = int(send(site, "msg_whole")[2]["x-statements"])
    site.empty()
    assert count > 40, count
    return range(1, count + 1)


def killed_at_each_statement(site, _):
    assert_repaired(site, [failed(site, f"kill {n}", f"msg_{n}") for n in statements_of(site)])


def killed_before_the_answer(site, _):
    site.fault("kill answer")
    assert send(site, "msg_1")[0] == 502
    site.fault("")
    assert json.loads(send(site, "msg_1")[1])["duplicate"] is True
    assert counts(site) == (1,) * 5, counts(site)


def disconnected_at_each_statement(site, _):
    """wpdb goes on with a new connection: before the transaction it may, in it that is a failure."""
    failures = [failed(site, f"disconnect {n}", f"msg_{n}") for n in statements_of(site)]
    harmless = [id for id, said in failures if said[0] == 200]
    assert harmless == [f"msg_{n}" for n in range(1, len(harmless) + 1)] and len(harmless) < 6, harmless
    assert counts(site) == (len(harmless),) * 5, (harmless, counts(site))
    site.empty()
    assert_repaired(site, failures[len(harmless):])


def each_statement_fails_once(site, _):
    """A form that is answered with 200 is stored whole, whatever WordPress itself made of the error."""
    said = [failed(site, f"fail {n}", f"msg_{n}") for n in statements_of(site)]
    site.fault("")
    failures = [id for id, (status, _, _) in said if status != 200]
    assert len(failures) > 30, failures
    for id in failures:
        assert send(site, id)[0] == 200, id
    assert counts(site) == (len(said),) * 5, (len(said), counts(site))
    wanted = {name: str(value) for name, value in order(1).items() if value is not None}
    for id, _ in said:
        assert meta_of(site, id) == wanted | {"webhook_id": id, "form_name": "order_confirmation", "body": body_of(order(1))}, id
        assert values_of(site, id) == wanted | {"client_address": ""}, id
    assert site.number("SELECT COUNT(*) FROM wp_e_submissions s JOIN wp_e_submissions_values v ON v.id = s.main_meta_id") == len(said)


def the_database_dies(site, _):
    site.fault("slow")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(send, site, "msg_1")
        site_is_in_the_handler(site)
        site.kill_database()
        said = under_way.result()
        assert send(site, "msg_1")[0] != 200
        site.start_database()
    assert_repaired(site, [("msg_1", said)])


def tables_without_transactions(site, _):
    for table in ("posts", "postmeta", "e_submissions_values"):
        site.sql(f"ALTER TABLE wp_{table} ENGINE=MyISAM")
        status, said, _ = send(site, "msg_1")
        site.sql(f"ALTER TABLE wp_{table} ENGINE=InnoDB")
        assert status == 500 and f"wp_{table}" in said and "InnoDB" in said, (status, said)
    assert counts(site) == (0, 0, 0, 0, 0)


def without_elementor_pro(site, _):
    site.sql("DROP TABLE wp_e_submissions, wp_e_submissions_values, wp_e_submissions_actions_log")
    status, said, _ = send(site, "msg_1")
    site.sql(ELEMENTOR_TABLES)
    assert status == 200, said
    assert counts(site) == (1, 1, 0, 0, 1), counts(site)


class Browser:
    """An account's session in wp-admin."""

    def __init__(self, site, name):
        self.base = f"http://127.0.0.1:{site.port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.get("/wp-login.php")
        status, _ = self.post("/wp-login.php", log=name, pwd=f"{name}-password", testcookie="1", redirect_to="/wp-admin/profile.php")
        assert status == 200, status

    def open(self, path, data=None):
        try:
            with self.opener.open(self.base + path, data, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def get(self, path):
        return self.open(path)

    def post(self, path, **form):
        return self.open(path, urllib.parse.urlencode(form).encode())


def keys_are_set_in_wp_admin(site, _):
    page, form = "/wp-admin/options-general.php?page=elementor-sync", {"option_page": "elementor-sync", "action": "update"}
    try:
        site.set_key_constant(None)
        assert send(site, "msg_1")[0] == 503
        admin, editor = Browser(site, "admin"), Browser(site, "editor")
        assert editor.get(page)[0] == 403
        status, text = admin.get(page)
        assert status == 200 and html.escape(site.url) in text, (status, text[-3000:])
        nonce = re.search(r'name="_wpnonce" value="(\w+)"', text)[1]
        assert editor.post("/wp-admin/options.php", **form, _wpnonce=nonce, elementor_sync_keys=KEY)[0] == 403
        assert admin.post("/wp-admin/options.php", **form, elementor_sync_keys=KEY)[0] == 403
        assert send(site, "msg_1")[0] == 503
        status, text = admin.post("/wp-admin/options.php", **form, _wpnonce=nonce, elementor_sync_keys=f" {OTHER}, {KEY}\n", _wp_http_referer=page)
        assert status == 200 and "2 signing keys" in text and KEY not in text and OTHER not in text, text[-3000:]
        assert send(site, "msg_1")[0] == 200
        for nothing in ("", "whsec_malformed"):
            admin.post("/wp-admin/options.php", **form, _wpnonce=nonce, elementor_sync_keys=nothing, _wp_http_referer=page)
            assert send(site, "msg_2", keys=(OTHER,))[0] == 200, nothing
        assert site.sql("SELECT autoload FROM wp_options WHERE option_name = 'elementor_sync_keys'")[0][0] in ("no", "off")
        post = json.loads(send(site, "msg_1")[1])["post_id"]
        assert "Amina" in admin.get(f"/wp-admin/post.php?post={post}&action=edit")[1]
        assert "Amina" not in editor.get(f"/wp-admin/post.php?post={post}&action=edit")[1]
        assert "CMD-" in admin.get("/wp-admin/edit.php?post_type=elementor_sync_order")[1]
        assert editor.get("/wp-admin/edit.php?post_type=elementor_sync_order")[0] == 403
    finally:
        site.set_key_constant(KEY)
        site.sql("DELETE FROM wp_options WHERE option_name = 'elementor_sync_keys'")


def the_program_says_what_it_meets(site, programs):
    sender = Sender(*programs, site.url, KEY)
    try:
        status, said = sender.command("check", "--ping-webhook")
        assert "answered 200" in said, said
        sender.env["WEBHOOK_SIGNING_KEYS"] = STRANGER
        status, said = sender.command("check", "--ping-webhook")
        assert status != 0 and "401" in said and "signing_keys" in said, (status, said)
        assert counts(site) == (0, 0, 0, 0, 0)
    finally:
        sender.close()


def stored(site):
    return site.number("SELECT SUM(finished) FROM wp_elementor_sync_claims")


def a_thousand_orders_and_kills_of_both_sides(site, programs, orders=1000, rng=random.Random(7)):
    """rows = confirmations, to the letter, though workers, the database and the program are killed meanwhile."""
    sender, began, kills = Sender(*programs, site.url, f"{OTHER} {KEY}"), time.monotonic(), 0
    rows = [rows_of(n) for n in range(orders)]
    try:
        sender.write(rows)
        sender.run()
        for reach in range(orders // KILLS, orders, orders // KILLS):
            sender.wait_for(f"{reach} orders", lambda: stored(site) >= reach, PATIENCE)
            kills += site.kill_worker(rng)
            if reach % (orders // 4) == 0:
                sender.kill()
                sender.run()
            if reach == orders // 2:
                site.kill_database()
                site.start_database()
        sender.wait_for("all orders", lambda: stored(site) == orders, PATIENCE)
        sender.stop()
    finally:
        sender.close()
    assert kills > KILLS // 2, f"{kills} workers were killed: the test is of something else"
    assert counts(site) == (orders,) * 5, counts(site)
    posts = {}
    for post, key, value in site.sql("SELECT post_id, meta_key, HEX(meta_value) FROM wp_postmeta WHERE meta_key LIKE '\\_elementor%'"):
        posts.setdefault(post, {})[key.removeprefix("_elementor_sync_")] = bytes.fromhex(value).decode()
    by_id = {meta["order_id"]: meta for meta in posts.values()}
    assert len(by_id) == len(posts) == orders
    for row in rows:
        meta = by_id[row["id"]]
        wrong = {name: (meta.get(name), str(value)) for name, value in row.items() if name != "id" and meta.get(name) != str(value)}
        assert not wrong, wrong
    print(f"      {orders} orders in {time.monotonic() - began:.0f} s, {kills} workers, 3 times the program and once the database killed")


TESTS = [an_order_is_stored_to_the_letter, a_long_text_is_stored, what_is_no_order_is_refused, only_what_is_signed_is_taken,
         several_keys_may_be_set, one_id_is_one_order, one_id_at_once_is_one_order, a_handler_that_fails_is_no_success,
         a_handler_that_commits_by_itself, what_happens_behind_the_commit, killed_at_each_statement, killed_before_the_answer,
         disconnected_at_each_statement, each_statement_fails_once, the_database_dies, tables_without_transactions,
         without_elementor_pro, keys_are_set_in_wp_admin, the_program_says_what_it_meets, a_thousand_orders_and_kills_of_both_sides]


def main(program, tools, wordpress, fpm, nginx, *names):
    plugin = PLUGIN
    if names[:1] == ("--plugin",):
        plugin, names = names[1], names[2:]
    good = bad = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with it
    site = Site((wordpress, fpm, nginx), KEY, plugin)
    try:
        for test in TESTS:
            if names and test.__name__ not in names:
                continue
            site.fault("")
            site.empty()
            began = time.monotonic()
            try:
                test(site, (program, tools))
                good += 1
                print(f"ok    {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception:
                bad += 1
                traceback.print_exc(file=sys.stdout)
                print(f"FAIL  {test.__name__}", flush=True)
    finally:
        site.close()
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
