#!/usr/bin/env python3
"""Runs a command and says what its whole process tree used.

    measure.py [--json FILE] [--every SECONDS] [--no-memory] -- COMMAND...

CPU seconds are user plus system time of the command and of all that it started, orphans included: this process is
their reaper. Memory is the greatest sum over the tree of PSS (shared pages count once), sampled; where the kernel
does not let PSS be read, RSS of that process is taken and `memory` says so. Exits with the command's code.
"""

import ctypes
import json
import os
import resource
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36


def children_of(parents):
    """All descendants of the processes given, by one look at /proc."""
    children = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                # The name in parentheses may hold anything; the parent's id is the second word after it.
                parent = int(stat.read().rsplit(b")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue  # gone meanwhile
        children.setdefault(parent, []).append(int(name))
    found, ahead = [], list(parents)
    while ahead:
        for child in children.get(ahead.pop(), []):
            found.append(child)
            ahead.append(child)
    return found


def memory_of(pid):
    """Bytes of one process and whether they are PSS; 0 where it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
            for line in rollup:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024, True
        return 0, True
    except PermissionError:
        pass
    except OSError:
        return 0, True
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize(), False
    except OSError:
        return 0, True


class Sampler(threading.Thread):
    """Looks at the tree's memory until it is stopped."""

    def __init__(self, every):
        super().__init__(daemon=True)
        self.every = every
        self.peak = 0
        self.processes = 0
        self.all_pss = True
        self.samples = 0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(self.every):
            tree = children_of([os.getpid()])
            sizes = [memory_of(pid) for pid in tree]
            self.samples += 1
            total = sum(size for size, _ in sizes)
            if total > self.peak:
                self.peak, self.processes = total, len(tree)
            self.all_pss = self.all_pss and all(pss for _, pss in sizes)


def measure(command, every=0.05, memory=True):
    """Runs a command to its end; answers with what it used."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    sampler = Sampler(every)
    pid = os.posix_spawnp(command[0], command, os.environ)
    if memory:
        sampler.start()
    code = None
    while True:
        try:
            ended, status = os.waitpid(-1, 0)
        except ChildProcessError:
            break
        if ended == pid:
            code = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if memory:
        sampler.over.set()
        sampler.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "code": code,
        "cpu": (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime),
        "user": after.ru_utime - before.ru_utime,
        "system": after.ru_stime - before.ru_stime,
        "wall": wall,
        "peak_pss": sampler.peak,
        "processes_at_peak": sampler.processes,
        "samples": sampler.samples,
        "memory": "PSS" if sampler.all_pss else "PSS, RSS where PSS is closed",
    }


def main(words):
    path, every, memory = None, 0.05, True
    while words and words[0] != "--":
        word = words.pop(0)
        if word == "--json" and words:
            path = words.pop(0)
        elif word == "--every" and words:
            every = float(words.pop(0))
        elif word == "--no-memory":
            memory = False
        else:
            break
    if len(words) < 2 or words[0] != "--":
        sys.exit(__doc__)
    usage = measure(words[1:], every, memory)
    text = json.dumps(usage)
    if path:
        with open(path, "w") as file:
            file.write(text + "\n")
    else:
        print(text, file=sys.stderr)
    code = usage["code"]
    return code if code is not None and code >= 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
