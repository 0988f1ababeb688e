"""Orders as bodies, signed by Standard Webhooks' own library, and what tests write into them."""
import datetime, json, re

from standardwebhooks.webhooks import Webhook

KEY, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk="
STRANGER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
ODD_TEXTS = ["C:\\new\\table", "\\\\two \\' \\\" \\0", "O'Reilly \"B\"", "a\ttab\nline\r\n", "<b>&amp;</b> <script>alert(1)</script>",
             "😀 Élodie نور", "%s %1$d {placeholder}", "1250.50", " spaces ", "[shortcode]", "1e3 \"5\" -0.10", "\u2028\u00a0"]
PRICES = ["1250.50", "0.10", "2501.00", "9999999999.99", "7.00"]


def order(n, **fields):
    return {"order_id": f"{n:08x}-0000-4000-8000-000000000000", "order_number": f"CMD-{n:06}", "client_name": "Amina",
            "client_phone": "+213600000000", "client_address": None, "client_city": "Alger", "product_name": "Montre",
            "quantity": 2, "unit_price": "1250.50", "total_amount": "2501.00", "status": "confirmed",
            "confirmed_at": "2026-11-24T09:15:30.123456Z", **fields}


def body_of(fields, shape="nested"):
    """As the program writes it: amounts are numbers with their digits."""
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    text = re.sub(r'"(unit_price|total_amount)":"([^"]*)"', r'"\1":\2', text)
    return f'{{"form_name":"order_confirmation","fields":{text}}}' if shape == "nested" else '{"form_name":"order_confirmation",' + text[1:]


def signed(id, body, keys=(KEY,), seconds=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(Webhook(key).sign(id, at, body) for key in keys)}


def rows_of(n):
    """The row of order n in PostgreSQL."""
    text = ODD_TEXTS[n % len(ODD_TEXTS)]
    return {"id": f"{n:08x}-0000-4000-8000-000000000000", "order_number": f"CMD-{n:06}", "client_name": f"{text}|{n}",
            "client_phone": f"+2136{n:08}", "client_address": text, "product_name": "Montre", "quantity": n % 9 + 1,
            "unit_price": PRICES[n % len(PRICES)], "total_amount": PRICES[(n + 1) % len(PRICES)]}


def assert_only_signed_is_taken(post):
    """post(body, headers): (status, text). An order that is not signed by KEY or OTHER, just now, is refused."""
    body = body_of(order(1))
    good = signed("msg_signed", body)
    refused = {
        "another key": signed("msg_signed", body, (STRANGER,)),
        "another id": good | {"webhook-id": "msg_other"},
        "another time": good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) - 1)},
        "too old": signed("msg_signed", body, seconds=-302),
        "too new": signed("msg_signed", body, seconds=310),
        "another version": good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v1a,")},
        "no signature": {name: value for name, value in good.items() if name != "webhook-signature"},
        "no id": {name: value for name, value in good.items() if name != "webhook-id"},
        "no time": {name: value for name, value in good.items() if name != "webhook-timestamp"},
        "an empty id": signed("", body),
        "nothing": {},
    }
    for what, headers in refused.items():
        status, said = post(body, headers)
        assert status == 401, (what, status, said)
    for changed in (body.replace("Amina", "amina"), body.replace(":2,", ":2, "), body + "\n", body[:-1]):
        status, said = post(changed, good)
        assert status in (400, 401), (changed, status, said)


def assert_signed_is_taken(post):
    body = body_of(order(1))
    for n, (keys, seconds) in enumerate([((KEY,), -290), ((KEY,), 290), ((STRANGER, KEY), 0), ((KEY, OTHER), 0)]):
        status, said = post(body, signed(f"msg_{n}", body, keys, seconds))
        assert status == 200 and json.loads(said)["duplicate"] is False, (keys, seconds, status, said)
