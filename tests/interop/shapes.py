"""Elementor's shapes, read by a real PHP as $_POST.

usage: shapes.py PROGRAM
  PROGRAM: tests/shapes of a build; it writes bodies with their values
"""
import json, pathlib, subprocess, sys, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "stack"))
from ports import free_ports

TYPES = {"client_phone": "tel", "quantity": "number", "unit_price": "number", "total_amount": "number"}
OPTIONAL = {"client_address", "client_city", "status", "confirmed_at"}


def post(url, body):
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def awaited(url):
    for _ in range(100):
        try:
            return post(url, "a=1")
        except OSError:
            time.sleep(0.1)
    raise SystemExit("php does not answer")


def expected_simple(name, fields):
    return {**fields, "form_id": "a1b2c3d", "form_name": name}


def expected_advanced(name, fields):
    """As Elementor Pro hands $record->get('fields') and get('meta') to wp_remote_post."""
    date, time_of_day = fields["confirmed_at"][:10], fields["confirmed_at"][11:19]
    meta = {"date": ("Date", date), "time": ("Time", time_of_day), "page_url": ("Page URL", ""),
            "user_agent": ("User Agent", ""), "remote_ip": ("Remote IP", ""), "credit": ("Powered by", "elementor-sync")}
    return {
        "form": {"id": "a1b2c3d", "name": name},
        "fields": {id: {"id": id, "type": TYPES.get(id, "text"), "title": id, "value": value, "raw_value": value,
                        "required": "0" if id in OPTIONAL else "1"} for id, value in fields.items()},
        "meta": {id: {"title": title, "value": value} for id, (title, value) in meta.items()},
    }


def main(program):
    bodies = [json.loads(line, parse_float=str, parse_int=str)
              for line in subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()]
    assert len(bodies) == 16, len(bodies)
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}/shapes.php"
    php = subprocess.Popen(["php", "-S", f"127.0.0.1:{port}", "-t", str(HERE)], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    try:
        awaited(url)
        for body in bodies:
            nested, expect = body["nested"], {"elementor": expected_simple, "elementor-advanced": expected_advanced}
            got = post(url, body["body"])
            wanted = expect[body["shape"]](nested["form_name"], nested["fields"])
            assert got["post"] == wanted, (got["post"], wanted)
            assert list(got["post"]) == list(wanted), "the order of the fields"
            assert got["same"], "PHP writes other bytes"
    finally:
        php.terminate()
        php.wait()
    print(f"ok {len(bodies)} bodies of Elementor's shapes are read by PHP as $_POST")


if __name__ == "__main__":
    main(sys.argv[1])
