"""One Kafka broker of its own on loopback: logins, certificates and access rights.

Listeners: `admin` (plaintext, may do all), `login` (SASL without TLS), `secure` (SASL with TLS), `tls`,
`mutual` (TLS that wants a client certificate), `expired` and `misnamed` (TLS, with such a certificate), `token`
(OAUTHBEARER: tokens of its issuer), `unsigned` (OAUTHBEARER: whatever a token says), `relayed` (plaintext, reached by a
relay).
Users, by each kind of login: shop, who may do all; run, dashboard, operator, who may do nothing until acls() says so.
"""
import concurrent.futures, pathlib, subprocess, sys

from harness import STACK, wait_for
from relay import Relay
from token_issuer import TokenIssuer

sys.path.append(str(STACK))
from ports import free_ports

PASSWORD = "right-password"
USERS = ("shop", "run", "dashboard", "operator")
LISTENERS = {"admin": "PLAINTEXT", "login": "SASL_PLAINTEXT", "secure": "SASL_SSL", "tls": "SSL",
             "mutual": "SSL", "expired": "SSL", "misnamed": "SSL", "token": "SASL_SSL",
             "unsigned": "SASL_PLAINTEXT", "relayed": "PLAINTEXT", "controller": "PLAINTEXT"}
CERTIFICATES = {"secure": "broker", "tls": "broker", "mutual": "broker", "expired": "expired",
                "misnamed": "misnamed", "token": "broker"}

PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={listeners}
advertised.listeners={advertised}
listener.security.protocol.map={protocols}
inter.broker.listener.name=ADMIN
controller.listener.names=CONTROLLER
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:shop
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/
ssl.keystore.type=PEM
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.mutual.ssl.client.auth=required
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""
MECHANISMS = """listener.name.{name}.sasl.enabled.mechanisms={enabled}
listener.name.{name}.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required {users};
listener.name.{name}.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.{name}.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""
TOKENS = """listener.name.{name}.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.{name}.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
"""
SIGNED = """listener.name.token.oauthbearer.sasl.server.callback.handler.class=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.token.sasl.oauthbearer.jwt.validator.class=\
org.apache.kafka.common.security.oauthbearer.BrokerJwtValidator
listener.name.token.sasl.oauthbearer.jwks.endpoint.url={keys}
"""


class Certificates:
    """Certificates by openssl: an authority, another one, and those that the first has signed."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("ca", "other-ca"):
            self.openssl("req", "-x509", *self.key(name), "-subj", f"/CN={name}", "-days", "9",
                         "-addext", "basicConstraints=critical,CA:TRUE", "-out", f"{name}.pem")
        here = "IP:127.0.0.1,DNS:localhost"
        self.issue("broker", here)
        self.issue("misnamed", "DNS:kafka.shop.example")
        self.issue("expired", here, "-not_after", "20200102000000Z")
        for name in USERS:
            self.issue(name, "DNS:unused")
        self.issue("late", "DNS:unused", "-not_after", "20200102000000Z")
        self.issue("stranger", "DNS:unused", authority="other-ca")

    def openssl(self, *arguments, **more):
        return subprocess.run(["openssl", *arguments], cwd=self.folder, check=True,
                              capture_output=True, **more).stdout

    @staticmethod
    def key(name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", f"{name}.key"]

    def issue(self, name, names, *validity, authority="ca"):
        """NAME.pem, and NAME.chain with its key: what a broker's keystore is."""
        self.openssl("req", *self.key(name), "-subj", f"/CN={name}", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        if validity:  # openssl x509 of Debian 12 knows no end but days from today
            (self.folder / "index").write_text("")
            (self.folder / "serial").write_text("01\n")
            self.openssl("ca", "-batch", "-config", self.ca_config(), "-notext",
                         "-extfile", f"{name}.ext", "-in", f"{name}.csr", "-startdate",
                         "20200101000000Z", "-enddate", validity[1], "-out", f"{name}.pem")
        else:
            self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem",
                         "-CAkey", f"{authority}.key", "-days", "2", "-extfile", f"{name}.ext",
                         "-out", f"{name}.pem")
        (self.folder / f"{name}.chain").write_text((self.folder / f"{name}.key").read_text()
                                                   + (self.folder / f"{name}.pem").read_text())

    def ca_config(self):
        (self.folder / "ca.conf").write_text(
            "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\n"
            "private_key=ca.key\ndefault_md=sha256\npolicy=any\nunique_subject=no\n"
            "[any]\ncommonName=supplied\n")
        return "ca.conf"


class SecureBroker:
    def __init__(self, stack, folder):
        self.folder = pathlib.Path(folder) / "secure-broker"
        self.folder.mkdir()
        jars = (pathlib.Path(stack.folder) / "jars").read_text().strip()
        self.classpath = f"{jars}/kafka/*"
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS))))
        self.relay = Relay(self.ports["relayed"])
        self.certificates = Certificates(self.folder)
        self.ca = self.folder / "ca.pem"
        self.issuer = TokenIssuer()
        self.start()

    def at(self, listener):
        """Its address for clients."""
        return f"127.0.0.1:{self.relay.port if listener == 'relayed' else self.ports[listener]}"

    def tool(self, name, *arguments):
        done = subprocess.run(["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
                               "-cp", self.classpath, name, *arguments],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def properties(self):
        def listed(names, text):
            return ",".join(text(name) for name in names)

        reachable = [name for name in LISTENERS if name != "controller"]
        parts = [PROPERTIES.format(
            folder=self.folder, controller=self.ports["controller"],
            listeners=listed(LISTENERS, lambda name: f"{name.upper()}://127.0.0.1:{self.ports[name]}"),
            advertised=listed(reachable, lambda name: f"{name.upper()}://{self.at(name)}"),
            protocols=listed(LISTENERS, lambda name: f"{name.upper()}:{LISTENERS[name]}"))]
        for name, certificate in CERTIFICATES.items():
            parts.append(f"listener.name.{name}.ssl.keystore.location={self.folder}/{certificate}.chain\n")
        users = " ".join(f'user_{user}="{PASSWORD}"' for user in USERS)
        for name, enabled in {"login": "PLAIN",
                              "secure": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"}.items():
            parts.append(MECHANISMS.format(name=name, enabled=enabled, users=users))
        parts += [TOKENS.format(name=name) for name in ("token", "unsigned")]
        parts.append(SIGNED.format(keys=self.issuer.keys))
        return "".join(parts)

    def start(self):
        file = self.folder / "properties"
        file.write_text(self.properties())
        scram = [f"--add-scram=SCRAM-SHA-{bits}=[name={user},password={PASSWORD}]"
                 for bits in (256, 512) for user in USERS]
        self.tool("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c",
                  str(file), *scram)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx384m", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1",
                 f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.issuer.keys}",
                 "-cp", self.classpath, "kafka.Kafka", str(file)], stdout=log, stderr=log)
        wait_for("the secure broker", lambda: subprocess.run(
            ["kcat", "-L", "-m", "2", "-b", self.at("admin")],
            capture_output=True).returncode == 0, 240)

    def acl(self, *words):
        self.acls([words])

    def acls(self, commands):
        """Kafka's own command, once for each list of its arguments."""
        def one(words):
            self.tool("org.apache.kafka.tools.AclCommand", "--bootstrap-server", self.at("admin"), *words)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, commands))

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.issuer.stop()
