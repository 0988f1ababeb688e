#!/usr/bin/env python3
"""The defences of the program's binary against memory errors, read by readelf.

usage: hardening.py BINARY READELF BUILD_TYPE
"""
import pathlib, re, subprocess, sys

ENDBR64 = bytes.fromhex("f30f1efa")


def main():
    binary, readelf, build_type = sys.argv[1:]

    def read(*options):
        return subprocess.run([readelf, "--wide", *options, binary], check=True, text=True,
                              capture_output=True).stdout

    header, segments, dynamic = read("--file-header"), read("--segments"), read("--dynamic")
    names = set(re.findall(r" (\w+)@", read("--dyn-syms")))
    stack = re.search(r"GNU_STACK.*", segments)
    fortified = {name for name in names if name.endswith("_chk") and name != "__stack_chk_fail"}
    facts = {
        "PIE": re.search(r"Type:\s+DYN", header) and "PIE" in re.search(r"FLAGS_1.*|$", dynamic)[0],
        "full RELRO": "GNU_RELRO" in segments
                      and re.search(r"BIND_NOW|FLAGS.*\bNOW\b", dynamic),
        "a stack that cannot be executed": stack and "E" not in stack[0].split()[-2],
        "no segment that can be both written and executed":
            not re.search(r"LOAD.* RWE ", segments),
        "no text relocations": "TEXTREL" not in dynamic,
        "a stack protector": "__stack_chk_fail" in names,
    }
    if build_type != "Debug":
        facts["_FORTIFY_SOURCE"] = len(fortified) >= 5
    if "X86-64" in header:  # the property note needs a C library that has it too; the code does not
        facts["CET: functions begin with endbr64"] = begin_with_endbr64(binary, read)
    if "AArch64" in header:
        facts["branch protection"] = re.search(r"AArch64 feature:.*BTI", read("--notes"))
    facts["every object file was compiled with all of it"] = all_objects_have(binary)
    for name, holds in facts.items():
        print("ok  " if holds else "FAIL", name)
    print(f"{sum(map(bool, facts.values()))} passed, {sum(not f for f in facts.values())} failed")
    return 0 if all(facts.values()) else 1


def begin_with_endbr64(binary, read):
    text = re.search(r"\.text +PROGBITS +([0-9a-f]+) ([0-9a-f]+)", read("--sections"))
    address, offset = (int(word, 16) for word in text.groups())
    functions = re.findall(r"([0-9a-f]{16}) +\d+ FUNC +GLOBAL DEFAULT +\d+ \w+$", read("--syms"), re.M)
    data = pathlib.Path(binary).read_bytes()
    if not functions:
        return data.count(ENDBR64) > 200  # a stripped one
    starts = [int(function, 16) - address + offset for function in functions]
    return sum(data[at:at + 4] == ENDBR64 for at in starts) > 0.95 * len(starts)


def all_objects_have(binary):
    """The compilers' options, which debugging information keeps; where there is none: not to be seen."""
    wanted = ["-fstack-protector-strong", "-fstack-clash-protection", "-fPIE"]
    compilers = [c.decode() for c in re.findall(rb"GNU C\d+ [^\0]+", pathlib.Path(binary).read_bytes())]
    return all(option in compiler for compiler in compilers for option in wanted)


if __name__ == "__main__":
    sys.exit(main())
