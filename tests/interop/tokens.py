"""Tokens by other people's libraries (PyJWT, jwcrypto), as the dashboard takes them or refuses them.

usage: tokens.py ELEMENTOR_SYNC TOOLS
  TOOLS: the folder of mock_kafka
"""
import base64, contextlib, hashlib, hmac, http.server, json, pathlib, subprocess, sys, tempfile, threading, time

import jwt
from cryptography.hazmat.primitives import serialization
from jwcrypto import jwk
from jwcrypto import jwt as jwcrypto_jwt

from dashboard import SECRET, Dashboard, Kafka, call, claims_of

CLAIM = "https://shop.example/role"
SERVICE_KEY = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"


def claims(**more):
    return claims_of(**{"aud": "authenticated", "iss": "https://shop.example", **more})


def make_keys():
    """One for each algorithm; two of a set need no alg, since their type has one."""
    return {
        "RS256": jwk.JWK.generate(kty="RSA", size=2048, kid="rs"),
        "PS256": jwk.JWK.generate(kty="RSA", size=2048, kid="ps", alg="PS256", use="sig"),
        "ES256": jwk.JWK.generate(kty="EC", crv="P-256", kid="es", alg="ES256"),
        "ES384": jwk.JWK.generate(kty="EC", crv="P-384", kid="es384"),
        "EdDSA": jwk.JWK.generate(kty="OKP", crv="Ed25519", kid="ed", alg="EdDSA"),
    }


def serve(keys):
    """The set of their public halves, and beside them what no program should take for a key."""
    strange = [{"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"}, {"kty": "OKP", "crv": "X25519", "x": "AA"},
               None, {}]
    body = json.dumps({"keys": strange + [json.loads(key.export_public()) for key in keys.values()]}).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/jwks.json"


def pem_of(key, private=True):
    return key.export_to_pem(private_key=private, password=None)


def by_pyjwt(key, algorithm, payload, **header):
    loaded = serialization.load_pem_private_key(pem_of(key), None)
    return jwt.encode(payload, loaded, algorithm=algorithm, headers={"kid": key["kid"], **header})


def by_jwcrypto(key, algorithm, payload):
    token = jwcrypto_jwt.JWT(header={"alg": algorithm, "kid": key["kid"], "typ": "JWT"}, claims=payload)
    token.make_signed_token(key)
    return token.serialize()


def by_hand(header, payload, secret):
    """HS256 with any bytes for the secret: libraries refuse a public key's."""
    part = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    text = part(json.dumps(header).encode()) + b"." + part(json.dumps(payload).encode())
    return (text + b"." + part(hmac.new(secret, text, hashlib.sha256).digest())).decode()


def good_tokens(keys):
    for algorithm, key in keys.items():
        yield f"PyJWT, {algorithm}", by_pyjwt(key, algorithm, claims())
        yield f"jwcrypto, {algorithm}", by_jwcrypto(key, algorithm, claims())
    yield "PyJWT, HS256", jwt.encode(claims(), SECRET, algorithm="HS256")
    yield "an audience among others", by_pyjwt(keys["ES256"], "ES256", claims(aud=["x", "authenticated"]))


def bad_tokens(keys):
    others = make_keys()
    stronger = claims(role="service_role")
    yield "none", jwt.encode(stronger, None, algorithm="none")
    for algorithm, key in keys.items():
        for text in (pem_of(key, False), key.export_public().encode(), b""):
            for kid in (key["kid"], None):
                header = {"alg": "HS256", "typ": "JWT"} | ({"kid": kid} if kid else {})
                yield f"HS256 by the public half of {algorithm}", by_hand(header, stronger, text)
                yield f"{algorithm} by its public half as a secret", by_hand(header | {"alg": algorithm}, stronger, text)
        yield f"{algorithm} by another key of its id", by_pyjwt(others[algorithm], algorithm, stronger)
        for other in keys:
            if other != algorithm:
                token = by_pyjwt(key, algorithm, stronger).split(".")
                header = base64.urlsafe_b64encode(json.dumps({"alg": other, "kid": key["kid"]}).encode()).rstrip(b"=")
                yield f"{algorithm} that says it is {other}", ".".join([header.decode(), *token[1:]])
    yield "PS256 by the key for RS256", by_pyjwt(keys["RS256"], "PS256", stronger)
    yield "RS256 by the key for PS256", by_pyjwt(keys["PS256"], "RS256", stronger)
    yield "RS512", by_pyjwt(keys["RS256"], "RS512", stronger)
    yield "PS384", by_pyjwt(keys["PS256"], "PS384", stronger)
    yield "HS384", jwt.encode(stronger, SECRET * 2, algorithm="HS384")
    yield "HS256 by a secret of the set", by_hand({"alg": "HS256", "kid": "oct"}, stronger, b"secret")
    evil = others["ES256"]
    yield "a key in the header", by_pyjwt(evil, "ES256", stronger, jwk=json.loads(evil.export_public()))
    yield "a set in the header", by_pyjwt(evil, "ES256", stronger, jku="http://127.0.0.1/keys")
    yield "a set in the header, by the right key", by_pyjwt(keys["ES256"], "ES256", stronger, jku="http://127.0.0.1/keys")
    yield "a path for an id", by_hand({"alg": "HS256", "kid": "../../../../dev/null"}, stronger, b"")
    good = keys["EdDSA"]
    for name, more in (("expired", {"exp": 1}), ("no expiry", {"exp": None}), ("not yet", {"nbf": int(time.time()) + 900}),
                       ("another issuer", {"iss": "https://evil.example"}), ("another audience", {"aud": "anon"})):
        payload = {k: v for k, v in claims(role="service_role", **more).items() if v is not None}
        yield name, by_pyjwt(good, "EdDSA", payload)


def session(dashboard, token):
    return call(dashboard.port, "GET", "/api/v1/session", token)


def each_algorithm_signs_in(dashboard, keys):
    count = 0
    for name, token in good_tokens(keys):
        answer = session(dashboard, token)
        assert answer.status == 200, (name, answer.body)
        assert (answer.json()["subject"], answer.json()["operator"]) == ("u-1", False), (name, answer.json())
        count += 1
    return f"{count} tokens taken"


def forged_tokens_are_refused(dashboard, keys):
    """None signs in; the log says of each why, and no part of it."""
    tokens = list(bad_tokens(keys))
    for name, token in tokens:
        answer = session(dashboard, token)
        assert answer.status == 401, (name, answer.status, answer.body)
        assert b"signature" not in answer.body, "the caller is not told which part was wrong"
    log = "".join(dashboard.log)
    for name, token in tokens:
        for part in token.split("."):
            assert len(part) < 8 or part not in log, name
    causes = [line for line in log.splitlines() if "call refused" in line and "error=" in line]
    assert causes and all("reason=" in line for line in causes), log[-2000:]
    return f"{len(tokens)} tokens refused"


def a_claim_of_a_providers_name_makes_an_operator(dashboard, keys):
    key = keys["EdDSA"]
    answer = session(dashboard, by_pyjwt(key, "EdDSA", claims(**{CLAIM: "operator"})))
    assert answer.json()["operator"] is True, answer.json()
    answer = session(dashboard, by_pyjwt(key, "EdDSA", claims(**{"https://shop": {"example/role": "operator"}})))
    assert answer.json()["operator"] is False, answer.json()
    return "as its provider names it"


def a_service_signs_in_by_its_key(dashboard, keys):
    for headers in ({"Authorization": "Bearer " + SERVICE_KEY}, {"apikey": SERVICE_KEY}):
        answer = call(dashboard.port, "GET", "/api/v1/session", **headers)
        assert answer.status == 200 and answer.json()["operator"] is True, (answer.status, answer.body)
    assert call(dashboard.port, "GET", "/api/v1/session?apikey=" + SERVICE_KEY).status in (400, 401)
    user = by_pyjwt(keys["ES256"], "ES256", claims())
    answer = call(dashboard.port, "GET", "/api/v1/session", user, apikey=SERVICE_KEY)
    assert answer.json()["operator"] is False, "a user's token beside it is who calls"
    assert SERVICE_KEY not in "".join(dashboard.log)
    return "by either header, and by no query"


def a_services_key_is_kept_as_a_hash(dashboard, keys):
    """It was read from a file: no memory of the process holds it, before the first call with it."""
    sizes, found = 0, False
    with open(f"/proc/{dashboard.child.pid}/maps") as maps, open(f"/proc/{dashboard.child.pid}/mem", "rb") as memory:
        for line in maps:
            place, rights = line.split()[:2]
            start, end = (int(side, 16) for side in place.split("-"))
            if not rights.startswith("rw") or end - start > 1 << 28: # the sanitizers' shadow is terabytes
                continue
            with contextlib.suppress(OSError):
                memory.seek(start)
                held = memory.read(end - start)
                assert SERVICE_KEY.encode() not in held, line
                sizes += len(held)
                found |= SECRET.encode() in held
    assert found, "the wrong place was searched: the secret for HS256 is there"
    return f"not in {sizes >> 20} MiB"


def a_minted_token_is_read_by_others(program):
    env = {"AUTH_HS256_SECRET": SECRET, "AUTH_ISSUER": "me", "AUTH_AUDIENCE": "us", "AUTH_OPERATOR_CLAIM": CLAIM,
           "AUTH_OPERATOR_VALUES": "operator", "KAFKA_BROKERS": "x:1", "KAFKA_TOPIC": "t"}
    minted = subprocess.run([program, "token", "--subject", "Léa"], env=env, check=True, capture_output=True, text=True)
    payload = jwt.decode(minted.stdout.strip(), SECRET, algorithms=["HS256"], issuer="me", audience="us")
    assert payload["sub"] == "Léa" and payload[CLAIM] == "operator", payload
    return "by PyJWT"


def main(program, tools):
    keys = make_keys()
    server, url = serve(keys)
    print(f"ok    a_minted_token_is_read_by_others: {a_minted_token_is_read_by_others(program)}", flush=True)
    with tempfile.NamedTemporaryFile("w") as file, Kafka(pathlib.Path(tools)) as kafka:
        file.write(SERVICE_KEY + "\n")
        file.flush()
        run(keys, Dashboard(
            program, kafka, AUTH_JWKS_URL=url, AUTH_ISSUER="https://shop.example", AUTH_AUDIENCE="authenticated",
            AUTH_OPERATOR_CLAIM=CLAIM, AUTH_OPERATOR_VALUES="operator", AUTH_SERVICE_KEYS_FILE=file.name))
    server.shutdown()


def run(keys, started):
    with started as dashboard:
        for test in (a_services_key_is_kept_as_a_hash, each_algorithm_signs_in, forged_tokens_are_refused,
                     a_claim_of_a_providers_name_makes_an_operator, a_service_signs_in_by_its_key):
            print(f"ok    {test.__name__}: {test(dashboard, keys)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
