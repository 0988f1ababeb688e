#!/usr/bin/env python3
"""README.md and consumer/doc, held against the tree and the program: links and anchors resolve, commands and options
are known, blocks parse, each command has its test or a reason in commands.md, and each alert has its heading.

usage: pages.py BINARY
"""
import json, pathlib, re, shlex, subprocess, sys, urllib.parse

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "consumer" / "README.md", *sorted((ROOT / "consumer" / "doc").glob("*.md"))]
COMMANDS = ROOT / "consumer" / "doc" / "commands.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNBOOK = "{{ $externalLabels.runbooks }}consumer/doc/operations.md#"
PLACEHOLDER = re.compile(r"\$\{[^}]*\}")


def anchors(page):
    """As GitHub names headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text())):
        if urllib.parse.urlparse(target).scheme:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"{target}: there is no such file"
        elif anchor and anchor not in anchors(file):
            yield f"{target}: {file.name} has no such heading"


def shell_blocks(page):
    """Indented by four and not a list's: the page's commands."""
    found, block = [], []
    for line in FENCE.sub("", page.read_text()).splitlines() + [""]:
        if line.startswith("    ") and (block or not found or line.strip()):
            block.append(line[4:])
        elif block:
            found.append("\n".join(block))
            block = []
    return found


def command_lines(block):
    """Each command as it is typed: continued lines in one, comments gone."""
    for line in block.replace("\\\n", " ").splitlines():
        line = " ".join(re.sub(r"\s+#\s.*$", "", line).split())
        if line and not line.startswith("#"):
            yield line


def shell(page):
    for block in shell_blocks(page):
        done = subprocess.run(["sh", "-n"], input=block.replace("…", "x"), capture_output=True, text=True)
        if done.returncode != 0:
            yield f"sh -n: {done.stderr.strip()}: {block}"


def of_program(block):
    """The words of each `elementor-sync COMMAND …` of a block."""
    for line in block.replace("\\\n", " ").splitlines():
        for part in re.split(r"\||&&|;", line):
            words = shlex.split(part, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                del words[0]
            if words and words[0].endswith("elementor-sync"):
                yield words[1:]


class Program:
    def __init__(self, binary):
        self.binary = binary
        self.options = set(re.findall(r"^\| `([a-z_.0-9]+(?:\.\*)?)` \|", self.says("options", "--markdown"), re.MULTILINE))
        assert len(self.options) > 80, sorted(self.options)
        self.helps = {}

    def says(self, *words):
        return subprocess.run([self.binary, *words], capture_output=True, text=True, timeout=60).stdout

    def knows(self, option):
        families = [known[:-1] for known in self.options if known.endswith(".*")]
        return option in self.options or any(option.startswith(family) for family in families)

    def variable(self, name):
        """Of the environment: an option's, in capitals."""
        name = name.removesuffix("_FILE")
        return name in ("ELEMENTOR_WEBHOOK_URL",) or any(
            name == known.upper().replace(".", "_") or
            known.endswith(".*") and name.startswith(known[:-1].upper().replace(".", "_")) for known in self.options)

    def help(self, command):
        if command not in self.helps:
            self.helps[command] = self.says("help", command)
        return self.helps[command]


def commands(page, program):
    for block in shell_blocks(page):
        for words in of_program(block):
            if not words or words == ["--version"]:
                continue
            help_text = program.help(words[0])
            if f"usage: elementor-sync {words[0]}" not in help_text:
                yield f"no command {words[0]}"
            for word in words[1:]:
                if word.startswith("--") and word not in ("--config", "--set") and not re.search(
                        rf"(?<![\w-]){re.escape(word)}(?![\w-])", help_text):
                    yield f"{words[0]} has no argument {word}"
        for name in re.findall(r"\b((?:KAFKA|REGISTRY|WEBHOOK|AUTH|DASHBOARD|ELEMENTOR)_[A-Z_]+)=", block):
            if not program.variable(name) and name not in ("DASHBOARD_URL",):
                yield f"{name} is no option's variable"


def paths(value, prefix=""):
    for key, below in value.items():
        name = f"{prefix}{key}"
        if isinstance(below, dict):
            yield from paths(below, name + ".")
        else:
            yield name


def snippets(page, program):
    for language, block in FENCE.findall(page.read_text()):
        try:
            if language == "yaml":
                value = yaml.safe_load(PLACEHOLDER.sub("x", block))
                if "kafka" in value or "registry" in value:
                    yield from (f"no option {name}" for name in paths(value) if not program.knows(name))
            elif language == "json":
                json.loads(PLACEHOLDER.sub("x", block))
        except (yaml.YAMLError, json.JSONDecodeError) as error:
            yield f"{language}: {error}: {block}"


def named_options(page, program):
    """`kafka.start`, `retry.attempts=3`: what begins like a group of options is one."""
    groups = {name.split(".")[0] for name in program.options} - {"log", "order", "members"}
    for text in re.findall(r"`([^`\n]+)`", FENCE.sub("", page.read_text())):
        found = re.fullmatch(r"([a-z]+)\.([a-z_0-9.]+)(?:[=:].*)?", text)
        if found and found[1] in groups and not program.knows(f"{found[1]}.{found[2]}"):
            if not any((ROOT / place).exists() for place in (text, f"consumer/{text}")) and "/" not in text \
                    and not re.search(r"\.(c|h|js|py|md|json|yaml|yml|sql|sh)$", found[2]):
                yield f"no option {text}"


def rows_of_commands():
    """consumer/doc/commands.md: (pattern, command as the row has it, names of pages, by what)."""
    for line in COMMANDS.read_text().splitlines():
        found = re.fullmatch(r"\| `(.*)` \| ([\w., -]+) \| (.*) \|", line)
        if found:
            yield re.escape(found[1]).replace("…", ".*"), found[1], found[2].split(", "), found[3]


def tests_of(by):
    """What is not there of the tests that a row names: `tests/FILE` or, with the function, `tests/FILE` `NAME`."""
    for file, name in re.findall(r"`(tests/[\w./]+)`(?: `(\w+)`)?", by):
        if not (ROOT / file).exists():
            yield f"there is no {file}"
        elif name and f"def {name}(" not in (ROOT / file).read_text():
            yield f"{file} has no {name}"


def commands_and_tests():
    """Each command of the pages has a row of its page, and each row its command, and a test or a reason."""
    rows = list(rows_of_commands())
    documented = {page.name: [line for block in shell_blocks(page) for line in command_lines(block)]
                  for page in PAGES if page.parent != ROOT / "consumer" and page != COMMANDS}
    for name, lines in documented.items():
        for line in lines:
            if not any(name in names and re.fullmatch(pattern, line) for pattern, _, names, _ in rows):
                yield f"no row says what runs this of {name}: {line}"
    for pattern, command, names, by in rows:
        for name in names:
            if not any(re.fullmatch(pattern, line) for line in documented.get(name, ())):
                yield f"{name} has no command {command}"
        yield from (f"{command}: {fault}" for fault in tests_of(by))


def alerts():
    rules = yaml.safe_load((ROOT / "docker" / "prometheus" / "rules.yml").read_text())
    known = anchors(ROOT / "consumer" / "doc" / "operations.md")
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "alert" in rule and rule["alert"].lower() not in known:
                yield f"operations.md has no heading {rule['alert']}"
            url = rule.get("annotations", {}).get("runbook_url", "")
            if "alert" in rule and url != RUNBOOK + rule["alert"].lower():
                yield f"{rule['alert']}: runbook_url is {url!r}, not its heading's"


def main():
    program = Program(sys.argv[1])
    wrong = [f"docker/prometheus/rules.yml: {fault}" for fault in alerts()]
    wrong += [f"consumer/doc/commands.md: {fault}" for fault in commands_and_tests()]
    blocks = 0
    for page in PAGES:
        name = page.relative_to(ROOT)
        inner = page == ROOT / "consumer" / "README.md"
        faults = [*links(page)]
        if not inner:
            blocks += len(shell_blocks(page))
            faults += [*shell(page), *commands(page, program), *snippets(page, program), *named_options(page, program)]
        wrong += [f"{name}: {fault}" for fault in faults]
    assert blocks > 15, f"only {blocks} blocks were found"
    print("\n".join(wrong) or f"{len(PAGES)} pages, {blocks} blocks of commands: all known")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
