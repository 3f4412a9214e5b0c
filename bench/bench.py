#!/usr/bin/env python3
"""Measures storyreel against the ffmpeg command and against the bare encoder; prints rows for BENCHMARKS.md.

    bench.py [--pairs N] [--only ROW,...] [--storyreel PATH] [--work DIRECTORY] [--media DIRECTORY]

What is compared runs in turn, A B A B, since other work on the machine slows both; each ratio is that of one pair, and
the row says their median and their spread. CPU seconds are those of the whole process tree, peak memory is the
greatest sum of PSS over the tree (measure.py). Without --pairs the long baselines run less often than seven times.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

import baseline
import media
import storyboards

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 7
# How often the baseline runs where nothing else is asked for: it needs 5 minutes of CPU for L, one for T.
BASELINES = {"S": RUNS, "T": 2, "L": 1}
# CPU seconds against the baseline's: must, then try.
TARGETS = {
    "L cold": (0.07, 0.05),
    "L again": (0.005, 0.003),
    "L one caption changed": (0.02, 0.015),
    "S cold": (1.00, 0.90),
    "T cold": (1.05, 0.95),
}
MIB = 1 << 20


class Bench:
    """Where things are, and everything that was measured."""

    def __init__(self, options):
        self.storyreel = os.path.abspath(options.storyreel)
        self.work = os.path.abspath(options.work)
        self.media = os.path.abspath(options.media or os.path.join(self.work, "media"))
        self.pairs = options.pairs
        self.cold = ["--no-cache"] if "--no-cache" in self.help() else []
        self.runs = {}
        os.makedirs(self.work, exist_ok=True)

    def help(self):
        command = [self.storyreel, "render", "--help"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def path(self, name):
        return os.path.join(self.work, name)

    def baselines(self, kind):
        return self.pairs or BASELINES[kind]

    def measure(self, name, command, source=None):
        """Runs a command and keeps what it used under a name."""
        usage = self.path("usage.json")
        words = [sys.executable, os.path.join(HERE, "measure.py"), "--json", usage, "--every", "0.1", "--", *command]
        log = self.path("log.txt")
        with open(log, "w") as errors:
            code = subprocess.run(words, stdin=source, stdout=errors, stderr=errors).returncode
        if code != 0:
            sys.exit(f"{name}: exit code {code}; {log} says why: {' '.join(command)}")
        with open(usage) as file:
            used = json.load(file)
        self.runs.setdefault(name, []).append(used)
        print(f"  {name}: {used['cpu']:.2f} CPU s, {used['peak_pss'] / MIB:.0f} MiB", file=sys.stderr)
        return used

    def render(self, name, board, *words, data="data", workers=None):
        """Renders a storyboard and keeps what that used."""
        path = self.path(f"{board['videoName']}.json")
        with open(path, "w") as file:
            json.dump(board, file)
        command = [self.storyreel, "render", path, "-o", self.path(f"{board['videoName']}.mp4")]
        command += ["--media", self.media, "--data", self.path(data), *words]
        if workers:
            config = self.path(f"workers-{workers}.toml")
            with open(config, "w") as file:
                file.write(f"[render]\nparallel = {workers}\n")
            command += ["--config", config]
        return self.measure(name, command)

    def baseline(self, kind):
        name = f"ffmpeg {kind}"
        command = baseline.film(storyboards.storyboard(kind), self.media, self.path(f"{kind}-ffmpeg.mp4"))
        return self.measure(name, command)


def row_s(bench):
    return in_turn(bench, "S")


def row_t(bench):
    return in_turn(bench, "T")


def in_turn(bench, kind):
    """Baseline and storyreel in turn; then how alike their pictures are to the sources."""
    board = storyboards.storyboard(kind)
    name = f"{kind} cold"
    for _ in range(bench.baselines(kind)):
        bench.baseline(kind)
        bench.render(name, board, *bench.cold)
    rows = [against(bench, name, f"ffmpeg {kind}")]
    ours = similarity(bench, board, bench.path(f"{kind}.mp4"))
    theirs = similarity(bench, board, bench.path(f"{kind}-ffmpeg.mp4"))
    rows.append(f"SSIM of {kind} without captions: storyreel {ours:.5f}, ffmpeg {theirs:.5f}, {ours - theirs:+.5f}")
    return rows


def similarity(bench, board, path):
    command = baseline.similarity(board, bench.media, path)
    words = subprocess.run(command, capture_output=True, text=True).stderr
    found = re.search(r"SSIM .*All:([0-9.]+)", words)
    if not found:
        sys.exit(f"no SSIM of {path}: {words[-2000:]}")
    return float(found.group(1))


def row_l(bench):
    """Cold, again, and with one caption changed; the baseline before each of the first rounds."""
    board = storyboards.storyboard("L")
    shutil.rmtree(bench.path("warm"), ignore_errors=True)
    bench.render("L to fill the cache", board, data="warm")
    for turn in range(max(RUNS, bench.baselines("L"))):
        if turn < bench.baselines("L"):
            bench.baseline("L")
        bench.render("L cold", board, *bench.cold)
        bench.render("L again", board, data="warm")
        # Another text each time: none is found made.
        changed = storyboards.with_other_caption(board, f"Good evening number {turn} of {os.getpid()}!")
        bench.render("L one caption changed", changed, data="warm")
    names = ["L cold", "L again", "L one caption changed"]
    return [against(bench, name, "ffmpeg L") for name in names]


def row_encode(bench):
    """The bare encoder on the same pictures: no renderer that encodes with it can need less."""
    rows = []
    for kind, lengths in [("S", [5, 5]), ("L", [4, 10])]:
        # As long as each clip's distinct pictures.
        board = storyboards.storyboard("S")
        for scene, length in zip(board["scenes"], lengths):
            scene["minimumDuration"] = length
        name = f"pure encode of {'all of S' if kind == 'S' else 'the distinct pictures of L'}"
        cold = f"{kind} cold"
        whole = storyboards.storyboard(kind)
        for _ in range(bench.pairs or 3):
            frames = subprocess.Popen(baseline.raw_frames(board, bench.media), stdout=subprocess.PIPE)
            bench.measure(name, baseline.encode_raw(board, bench.path("encoded.mp4")), frames.stdout)
            frames.stdout.close()
            if frames.wait() != 0:
                sys.exit(f"{name}: the pictures could not be made")
            bench.render(f"{cold} (beside the encode)", whole, *bench.cold)
        rows.append(against(bench, f"{cold} (beside the encode)", name))
    return rows


def row_memory(bench):
    rows = []
    for name, kind, workers in [
        ("T, 1 worker", "T", 1),
        ("T, 2 workers", "T", 2),
        ("L, 1 worker", "L", 1),
        ("L twelve times as long (one hour), 1 worker", "hour", 1),
    ]:
        usage = bench.render(f"memory {name}", storyboards.storyboard(kind), *bench.cold, workers=workers)
        peak = f"{usage['peak_pss'] / MIB:.0f}"
        rows.append(f"| {name} | {peak} | {usage['processes_at_peak']} | {usage['cpu']:.1f} | {usage['wall']:.1f} |")
    return ["| work at 720p | peak MiB | processes | CPU s | wall s |", "|---|---|---|---|---|", *rows]


HEAD = [
    "| work | CPU s, median (spread) | of | CPU s, median (spread) | ratio, median (spread) | pairs | must / try | peak MiB, ours / theirs |",
    "|---|---|---|---|---|---|---|---|",
]
ROWS = {"S": row_s, "L": row_l, "T": row_t, "encode": row_encode, "memory": row_memory}


def against(bench, name, other):
    """A row: one thing against another, pair by pair. Where the other ran less often, its last run stands for it."""
    ours, theirs = bench.runs[name], bench.runs[other]
    ratios = [our["cpu"] / theirs[min(turn, len(theirs) - 1)]["cpu"] for turn, our in enumerate(ours)]
    cpu = [spread([run["cpu"] for run in runs], 2) for runs in (ours, theirs)]
    peak = [max(run["peak_pss"] for run in runs) / MIB for runs in (ours, theirs)]
    target = " / ".join(str(number) for number in TARGETS[name]) if name in TARGETS else ""
    pairs = f"{len(ours)}" if len(ours) == len(theirs) else f"{len(ours)} against {len(theirs)}"
    return (
        f"| {name} | {cpu[0]} | {other} | {cpu[1]} | **{spread(ratios, 4)}** | {pairs} | {target}"
        f" | {peak[0]:.0f} / {peak[1]:.0f} |"
    )


def spread(values, digits):
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def machine(bench):
    """What the figures depend on."""
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    with open("/proc/meminfo") as file:
        memory = int(re.search(r"MemTotal:\s*(\d+)", file.read()).group(1)) / MIB
    first_line = lambda command: subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]
    commit = first_line(["git", "-C", HERE, "rev-parse", "--short", "HEAD"])
    return [
        f"Machine: {os.cpu_count()} x {model.group(1) if model else platform.machine()}, {memory:.0f} GiB, "
        f"Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the start.",
        f"Versions: {first_line([bench.storyreel, '--version'])} at {commit}; "
        f"{first_line(['ffmpeg', '-version']).split(' Copyright')[0]}. {time.strftime('%Y-%m-%d')}.",
    ]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", type=int, help="pairs for every row; 7 is what the targets are about")
    options.add_argument("--only", default=",".join(ROWS), help=f"which rows, of {', '.join(ROWS)}")
    options.add_argument("--storyreel", default=os.path.join(HERE, "../target/release/storyreel"))
    options.add_argument("--work", default=os.path.join(HERE, "../target/bench"))
    options.add_argument("--media", help="where the media are or shall be made; default: in the work directory")
    options = options.parse_args()
    unknown = set(options.only.split(",")) - set(ROWS)
    if unknown:
        sys.exit(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    bench = Bench(options)
    media.make(bench.media)
    lines = machine(bench)
    if not bench.pairs:
        few = ", ".join(f"{kind} {count}" for kind, count in BASELINES.items())
        lines.append(f"The baseline's runs: {few}; `make bench PAIRS=7` makes seven of each, in about an hour and a half.")
    if not bench.cold:
        lines.append("This storyreel has no --no-cache: what is called cold ran as it is.")
    for name in options.only.split(","):
        print(f"{name}:", file=sys.stderr)
        rows = ROWS[name](bench)
        tabled = name != "memory"
        lines += ["", *(HEAD if tabled else []), *[row for row in rows if row.startswith("|")]]
        lines += [line for row in rows if not row.startswith("|") for line in ("", row)]
    print("\n".join(lines))
    with open(bench.path("results.md"), "w") as file:
        file.write("\n".join(lines) + "\n")
    with open(bench.path("runs.json"), "w") as file:
        json.dump(bench.runs, file, indent=1)


if __name__ == "__main__":
    main()
