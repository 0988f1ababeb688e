"""docker/kubernetes: the manifests keep to Kubernetes' own schemas, and say what is true of the program.

usage: check.py PROGRAM TOOLS CUSTOM KUBECTL [--write]
  PROGRAM, TOOLS: elementor-sync and tests/ of a build
  CUSTOM: the folder of custom.mjs with its packages
  KUBECTL: any version; Debian's of 2021 does
  --write: writes docker/kubernetes/monitoring/prometheus-rule.yaml anew from docker/prometheus/rules.yml
"""
import contextlib, json, os, pathlib, re, signal, subprocess, sys, tempfile

import kubernetes_validate
import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "interop"), str(HERE.parent / "stack")]
import dashboard
from ports import free_ports

FOLDER = ROOT / "docker" / "kubernetes"
RULES = ROOT / "docker" / "prometheus" / "rules.yml"
RULE_OBJECT = FOLDER / "monitoring" / "prometheus-rule.yaml"
KUBERNETES = ["1.30", "1.37"]
CUSTOM_GROUPS = ("monitoring.coreos.com/", "keda.sh/")
LAST_COMMIT_S = 15  # run's, behind drain.timeout
KEY = "0123456789abcdef" * 4
SECRETS = {"webhook-url": "https://shop.example.com/secret-path", "service-keys": KEY}


class Manifests:
    """All that `kubectl apply -k` of the three folders would send."""

    def __init__(self, kubectl):
        self.objects = []
        for folder in (FOLDER, FOLDER / "monitoring", FOLDER / "autoscaling"):
            built = subprocess.run([kubectl, "kustomize", str(folder)], check=True, text=True, capture_output=True)
            self.objects += yaml.safe_load_all(built.stdout)

    def of(self, kind, end=""):
        """The only one of its kind whose name ends so."""
        found = [o for o in self.objects if o["kind"] == kind and o["metadata"]["name"].endswith(end)]
        assert len(found) == 1, (kind, end, [o["metadata"]["name"] for o in found])
        return found[0]

    def workloads(self):
        return [self.of("StatefulSet"), self.of("Deployment")]


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def container_of(workload):
    return pod_of(workload)["containers"][0]


# ---- as Kubernetes sees them ----

def schemas(m, custom):
    """Each object is one of Kubernetes, the Prometheus operator or KEDA, to its last name and value."""
    theirs = [o for o in m.objects if o["apiVersion"].startswith(CUSTOM_GROUPS)]
    for version in KUBERNETES:
        for o in m.objects:
            if o not in theirs:
                kubernetes_validate.validate(o, version, strict=True)
    assert {o["kind"] for o in theirs} == {"ServiceMonitor", "PrometheusRule", "ScaledObject"}
    done = subprocess.run(["node", str(custom / "custom.mjs")], input=json.dumps(theirs), text=True, capture_output=True)
    assert done.returncode == 0 and done.stdout == "", done.stdout + done.stderr


def notices_mistakes(m, custom):
    """The same schemas refuse a name that is none, and a value of another kind."""
    wrong = json.loads(json.dumps(m.of("StatefulSet")))
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with contextlib.suppress(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)
        raise AssertionError("a probe of no such name passes")
    scaled, monitor = (json.loads(json.dumps(m.of(kind, "elementor-sync"))) for kind in ("ScaledObject", "ServiceMonitor"))
    scaled["spec"]["maxReplicas"] = 3
    monitor["spec"]["endpoints"][0]["interval"] = "soon"
    done = subprocess.run(["node", str(custom / "custom.mjs")], input=json.dumps([scaled, monitor]), text=True,
                          capture_output=True)
    assert done.returncode == 1 and "maxReplicas" in done.stdout and "interval" in done.stdout, done.stdout + done.stderr


# ---- as they see each other ----

def selects(selector, labels):
    return selector and all(labels.get(name) == value for name, value in selector.items())


def names(m, _):
    """Selectors, mounts, ports, probes, budget and scale name what is there, in one namespace."""
    for o in m.objects:
        assert o["kind"] == "Namespace" or o["metadata"]["namespace"] == m.of("Namespace")["metadata"]["name"], o
    labels = [w["spec"]["template"]["metadata"]["labels"] for w in m.workloads()]
    for workload, own in zip(m.workloads(), labels):
        assert selects(workload["spec"]["selector"]["matchLabels"], own)
        pod, container = pod_of(workload), container_of(workload)
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        ports = {port["name"] for port in container["ports"]}
        for probe in ("livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] in ports
        assert m.of("ServiceAccount")["metadata"]["name"] == pod["serviceAccountName"]
        config = next(volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume)
        assert config == m.of("ConfigMap")["metadata"]["name"]
    by_ports = {name: port for w in m.workloads() for port in container_of(w)["ports"] for name in [port["name"]]}
    for service in (o for o in m.objects if o["kind"] == "Service"):
        assert sum(selects(service["spec"]["selector"], own) for own in labels) == 1
        assert all(port["targetPort"] in by_ports for port in service["spec"]["ports"])
    for monitor in (o for o in m.objects if o["kind"] == "ServiceMonitor"):
        chosen = [o for o in m.objects if o["kind"] == "Service" and
                  selects(monitor["spec"]["selector"]["matchLabels"], o["metadata"]["labels"])]
        assert len(chosen) == 1 and monitor["spec"]["endpoints"][0]["port"] in {
            port["name"] for port in chosen[0]["spec"]["ports"]}, monitor
    assert selects(m.of("PodDisruptionBudget")["spec"]["selector"]["matchLabels"], labels[0])
    for policy in (o for o in m.objects if o["kind"] == "NetworkPolicy"):
        assert any(selects(policy["spec"]["podSelector"]["matchLabels"], own) for own in labels)
        inbound = [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]]
        assert set(inbound) <= set(by_ports), inbound
    target = m.of("ScaledObject")["spec"]["scaleTargetRef"]
    assert m.of(target["kind"])["metadata"]["name"] == target["name"]
    assert m.of("StatefulSet")["spec"]["serviceName"] in {o["metadata"]["name"] for o in m.objects if o["kind"] == "Service"}


def restricted(m, _):
    """No pod may do more than it needs: neither root, nor a writable image, nor the cluster's API."""
    for workload in m.workloads():
        pod, container = pod_of(workload), container_of(workload)
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65534
        assert pod["automountServiceAccountToken"] is False and len(pod["containers"]) == 1
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}
        for variable in container["env"]:  # secrets are files
            assert not re.search("SECRET|KEYS|PASSWORD|TOKEN|WEBHOOK_URL", variable["name"]) or (
                variable["name"].endswith("_FILE") and variable["value"].startswith("/run/secrets/elementor-sync/"))
    assert "USER 65534" in (ROOT / "docker" / "Dockerfile").read_text()


def rule_object():
    """The alerts, as the operator takes them."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    head = "# Written by tests/kubernetes/check.py … --write from docker/prometheus/rules.yml; a test fails when it is stale.\n"
    return head + yaml.safe_dump({"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
                                  "metadata": {"name": "elementor-sync"}, "spec": {"groups": groups}},
                                 sort_keys=False, allow_unicode=True, width=100)


def alerts(m, _):
    """They are those of docker/prometheus, which promtool tests, and look for the job that is scraped."""
    assert RULE_OBJECT.read_text() == rule_object(), "stale; write it anew: tests/kubernetes/check.py … --write"
    jobs = set(re.findall(r'job="([^"]+)"', RULES.read_text()))
    assert jobs <= {o["metadata"]["name"] for o in m.objects if o["kind"] == "Service"}, jobs


# ---- as the program sees them ----

def in_this_place(workload, folder, port, config, **more):
    """The container's own command and environment, on files and a port of this machine."""
    for name, text in SECRETS.items():
        with contextlib.suppress(FileExistsError), open(folder / name, "x", opener=lambda *a: os.open(*a, 0o400)) as file:
            file.write(text)
    (folder / "shop.yaml").write_text(config)
    here = [("/etc/elementor-sync", str(folder)), ("/run/secrets/elementor-sync", str(folder)), ("/view", str(folder)),
            *((f"0.0.0.0:{p['containerPort']}", f"127.0.0.1:{port}") for p in container_of(workload)["ports"])]

    def moved(text):
        for there, place in here:
            text = text.replace(there, place)
        return text

    env = {v["name"]: moved(v["value"]) if "value" in v else "elementor-sync-0" for v in container_of(workload)["env"]}
    assert all("value" in v or v["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
               for v in container_of(workload)["env"])
    return [moved(word) for word in container_of(workload)["args"]], {"PATH": os.environ["PATH"], **env, **more}


def configuration(m, folder, program, _):
    """`check` takes shop.yaml with each pod's environment, and pods wait for longer than a drain takes."""
    config = m.of("ConfigMap")["data"]["shop.yaml"]
    for workload in m.workloads():
        arguments, env = in_this_place(workload, folder, 1, config, ELEMENTOR_WEBHOOK_URL_FILE=str(folder / "webhook-url"))
        done = subprocess.run([program, "check", "--offline", "--json", *arguments[1:]], env=env, text=True, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        findings = json.loads(done.stdout)["findings"]
        assert not [f for f in findings if f["area"] == "configuration" and f["level"] == "warn"], findings
    value = {f["name"]: f["text"] for f in findings if f["area"] == "configuration"}
    assert re.fullmatch(r"\d+s", value["webhook.timeout"]) and "drain.timeout" not in yaml.safe_load(config), value
    drain = int(value["webhook.timeout"][:-1]) + 5  # drain.timeout's default
    assert pod_of(m.of("StatefulSet"))["terminationGracePeriodSeconds"] >= drain + LAST_COMMIT_S
    trigger = m.of("ScaledObject")["spec"]["triggers"][0]["metadata"]
    assert (trigger["bootstrapServers"], trigger["consumerGroup"], trigger["topic"]) == tuple(
        value[name] for name in ("kafka.brokers", "kafka.group", "kafka.topic")), value


def answers(process, port, workload):
    """Each probe is answered as kubelet asks: by the pod's address."""
    def asked(path):
        assert process.child.poll() is None, "".join(process.log)[-3000:]
        try:
            return dashboard.call(port, "GET", path, Host="10.1.2.3:8080").status
        except ConnectionRefusedError:
            return None

    for probe in ("livenessProbe", "readinessProbe"):
        path = container_of(workload)[probe]["httpGet"]["path"]
        dashboard.await_true(f"{probe} {path}", lambda path=path: asked(path) == 200)


def starts(m, folder, program, tools):
    """Both pods' commands start on a Kafka, become ready, and end when they are told to."""
    config = m.of("ConfigMap")["data"]["shop.yaml"]
    with dashboard.Kafka(tools) as kafka:
        for workload in m.workloads():
            [port] = free_ports(1)
            arguments, env = in_this_place(workload, folder, port, config, KAFKA_BROKERS=kafka.brokers, **dashboard.OWN)
            with dashboard.Process([program, *arguments], env=env) as process:
                answers(process, port, workload)
                if workload["kind"] == "Deployment":
                    metrics = dashboard.call(port, "GET", "/metrics", token=KEY)
                    assert metrics.status == 200 and b"elementor_sync_dashboard_" in metrics.body, metrics.body
                process.child.send_signal(signal.SIGTERM)
                assert process.child.wait(60) == 0, "".join(process.log)[-3000:]


def main(program, tools, custom, kubectl, *more):
    if more == ("--write",):
        RULE_OBJECT.write_text(rule_object())
    m = Manifests(kubectl)
    for check in (schemas, notices_mistakes, names, restricted, alerts):
        check(m, pathlib.Path(custom))
        print(f"ok    {check.__name__}: {check.__doc__}")
    for check in (configuration, starts):
        with tempfile.TemporaryDirectory(prefix="kubernetes-") as folder:
            check(m, pathlib.Path(folder), program, pathlib.Path(tools))
        print(f"ok    {check.__name__}: {check.__doc__}")


main(*sys.argv[1:])
