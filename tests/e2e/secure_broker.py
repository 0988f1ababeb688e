"""One Kafka broker of its own with a login (SASL PLAIN), access rights and a TLS listener; loopback.

Its users: shop, who may do nothing until allow() says so. The plain listener `admin` may do all.
"""
import pathlib, subprocess, sys

from harness import STACK, wait_for

sys.path.append(str(STACK))
from ports import free_ports

PASSWORD = "right-password"

PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=ADMIN://127.0.0.1:{admin},LOGIN://127.0.0.1:{login},TLS://127.0.0.1:{tls},\
CONTROLLER://127.0.0.1:{controller}
advertised.listeners=ADMIN://127.0.0.1:{admin},LOGIN://127.0.0.1:{login},TLS://127.0.0.1:{tls}
listener.security.protocol.map=ADMIN:PLAINTEXT,LOGIN:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=ADMIN
controller.listener.names=CONTROLLER
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_shop="{password}";
listener.name.tls.ssl.keystore.type=PKCS12
listener.name.tls.ssl.keystore.location={folder}/keys.p12
listener.name.tls.ssl.keystore.password=changeit
listener.name.tls.ssl.key.password=changeit
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class SecureBroker:
    def __init__(self, stack, folder):
        self.folder = pathlib.Path(folder) / "secure-broker"
        self.folder.mkdir()
        jars = (pathlib.Path(stack.folder) / "jars").read_text().strip()
        self.classpath = f"{jars}/kafka/*"
        self.admin, self.login, self.tls, self.controller = free_ports(4)
        self.ca = self.folder / "ca.pem"
        self.make_keys()
        self.start()

    def tool(self, name, *arguments):
        done = subprocess.run(["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
                               "-cp", self.classpath, name, *arguments],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def make_keys(self):
        store = ["-keystore", str(self.folder / "keys.p12"), "-storetype", "PKCS12", "-storepass",
                 "changeit", "-alias", "broker"]
        subprocess.run(["keytool", "-genkeypair", *store, "-keyalg", "EC", "-dname", "CN=broker",
                        "-ext", "san=ip:127.0.0.1", "-validity", "2"], check=True,
                       capture_output=True)
        subprocess.run(["keytool", "-exportcert", "-rfc", *store, "-file", str(self.ca)],
                       check=True, capture_output=True)

    def start(self):
        properties = self.folder / "properties"
        properties.write_text(PROPERTIES.format(
            admin=self.admin, login=self.login, tls=self.tls, controller=self.controller,
            folder=self.folder, password=PASSWORD))
        self.tool("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c",
                  str(properties))
        log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            ["java", "-Xmx384m", "-XX:-UsePerfData", "-cp", self.classpath, "kafka.Kafka",
             str(properties)], stdout=log, stderr=log)
        log.close()
        wait_for("the secure broker", lambda: subprocess.run(
            ["kcat", "-L", "-m", "2", "-b", f"127.0.0.1:{self.admin}"],
            capture_output=True).returncode == 0, 90)

    def allow(self, *what):
        """what: --topic NAME or --group NAME, then --operation READ…"""
        self.tool("org.apache.kafka.tools.AclCommand", "--bootstrap-server",
                  f"127.0.0.1:{self.admin}", "--add", "--allow-principal", "User:shop", *what)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
