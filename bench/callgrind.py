#!/usr/bin/env python3
"""Counts the instructions of our own hot loops under callgrind and compares them with the numbers kept beside this.

    callgrind.py [--update] [CRATE/LOOP...]        all loops where none is named

Times say nothing on a busy machine; instructions do. A loop that needs more than 3 % above its number fails, as does
one that is not in callgrind.json or is there only. With --update the numbers are written anew: have a reason, and say
it in the commit. The loops are those of `crates/*/examples/hot_loops.rs`: with a loop's name such an example runs it;
without one it says `hot_loops NAME|NAME...` on standard error.
"""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
NUMBERS = os.path.join(HERE, "callgrind.json")
# Crates, and the loop of each that only makes what the others work on: it is taken off their counts, and with it what
# the loading of the program needs, which is not ours.
CRATES = {"audio": "noise", "render": "picture"}
TOLERANCE = 0.03


def build(crate):
    """The example's program, as released."""
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    command = ["cargo", "build", "--release", "--locked", "-q", "-p", crate, "--example", "hot_loops"]
    subprocess.run(command, cwd=ROOT, check=True)
    # Both crates' examples have this name: each is moved away before the next is built.
    built, kept = (os.path.join(target, "release/examples", name) for name in ("hot_loops", f"hot_loops-{crate}"))
    os.replace(built, kept)
    return kept


def loops(program):
    """Names of the loops of an example."""
    said = subprocess.run([program], capture_output=True, text=True).stderr
    found = re.fullmatch(r"hot_loops ([^ ]+)\n", said)
    if not found:
        sys.exit(f"{program} does not say which loops it has: {said}")
    return found.group(1).split("|")


def instructions(program, loop):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, loop]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"{loop}: {done.stderr[-2000:]}")
    return int(found.group(1))


def verdict(loop, counted, kept):
    """What is to be said about a loop, and whether that is a failure."""
    if kept is None:
        return f"{loop}: {counted:,} instructions, and no number in callgrind.json", True
    change = counted / kept - 1
    bad = change > TOLERANCE
    return f"{loop}: {counted:,} instructions, {change:+.2%}{' IS TOO MANY' if bad else ''}", bad


def main(words):
    update = "--update" in words
    wanted = [word for word in words if word != "--update"]
    with open(NUMBERS) as file:
        kept = json.load(file)
    counted, there, failed = {}, set(), False
    for crate, base in CRATES.items():
        program = build(crate)
        names = [name for name in loops(program) if name != base]
        before = instructions(program, base)
        there |= {f"{crate}/{name}" for name in names}
        for name in names:
            loop = f"{crate}/{name}"
            if wanted and loop not in wanted:
                continue
            counted[loop] = instructions(program, name) - before
            text, bad = verdict(loop, counted[loop], kept.get(loop))
            print(text)
            failed = failed or bad
    for loop in sorted((set(kept) | set(wanted)) - there):
        print(f"{loop}: no example has this loop")
        failed = True
    if not update:
        return 1 if failed else 0
    left = {loop: number for loop, number in kept.items() if loop in there}
    with open(NUMBERS, "w") as file:
        json.dump(dict(sorted({**left, **counted}.items())), file, indent=1)
        file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
