#!/usr/bin/env python3
"""hardening.py notices each option that is missing: a small program, built with all, then without one.

usage: hardening_check.py COMPILER READELF OPTION...   the options of CMake's target "hardened"
"""
import pathlib, subprocess, sys, tempfile

SOURCE = """
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((noinline)) void copy(char *to, const char *from) { strcpy(to, from); strcat(to, from); }
int main(int argc, char **argv)
{
    char text[64], more[64];
    (void)argc;
    copy(text, argv[0]);
    memcpy(more, text, (size_t)argc);
    snprintf(text, (size_t)argc, "%s", more);
    strcpy(more, argv[0]);
    strncpy(text, argv[0], (size_t)argc);
    strcat(more, text);
    memset(text, argc, (size_t)argc);
    return (int)read(0, text, (size_t)argc) + fprintf(stderr, "%s%s", text, more);
}
"""
# Options that undo one of them, and the name that hardening.py has for its absence.
UNDONE = {
    "-fno-stack-protector": "a stack protector",
    "-fno-stack-clash-protection": "every object file was compiled with all of it",
    "-fno-pie -no-pie": "PIE",
    "-U_FORTIFY_SOURCE": "_FORTIFY_SOURCE",
    "-fcf-protection=none": "CET: functions begin with endbr64",
    "-Wl,-z,norelro": "full RELRO",
    "-Wl,-z,lazy": "full RELRO",
    "-Wl,-z,execstack": "a stack that cannot be executed",
}


def main(compiler, readelf, *options):
    checker = pathlib.Path(__file__).with_name("hardening.py")
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder) / "small.c", str(pathlib.Path(folder) / "small")
        many = "".join(f"int f{i}(int x);\nint f{i}(int x) {{ return x + {i}; }}\n" for i in range(40))
        source.write_text(SOURCE + many)  # beside them the C library's _start is one of few
        for undo, name in {"": None, **UNDONE}.items():
            if "cf-protection" in undo and "-fcf-protection=full" not in options:
                continue  # of another processor
            subprocess.run([compiler, "-g", "-O2", "-w", *options, *undo.split(), str(source), "-o", binary], check=True)
            run = subprocess.run([sys.executable, checker, binary, readelf, "Release"], capture_output=True, text=True)
            failed = [line[5:] for line in run.stdout.splitlines() if line.startswith("FAIL ")]
            if (name is None and failed) or (name is not None and name not in failed):
                wrong.append(f"{undo or 'all options'}: FAIL of {failed}, {name} expected\n{run.stdout}{run.stderr}")
    print("\n".join(wrong) or f"{len(UNDONE)} options are missed when they are not there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
