#!/usr/bin/env python3
"""Makes the media of the benchmark's storyboards with the ffmpeg command; what is there already stays.

    media.py DIRECTORY

hello_world.mp4 (4 s) and welcome_everyone.mp4 (10 s): 1920x1080, 30 fps, H.264 and AAC, with film noise, so that
decoding them costs what footage from a camera costs. clip0.mp4 to clip9.mp4: 6 s each, of three kinds. music.mp3:
60 s of a chord, 44.1 kHz stereo.
"""

import os
import subprocess
import sys

SIZE = "size=1920x1080:rate=30"
VIDEO = ["-c:v", "libx264", "-preset", "fast", "-crf", "20", "-g", "60", "-movflags", "+faststart"]
CHORD = {"left": (261.63, 329.63), "right": (261.63, 493.88)}


def looped(picture, pitch, seconds, effects):
    """A background with sound."""
    return [
        *["-f", "lavfi", "-i", picture],
        *["-f", "lavfi", "-i", f"sine=frequency={pitch}:sample_rate=48000"],
        *["-t", str(seconds), "-vf", f"{effects}noise=alls=5:allf=t,format=yuv420p"],
        *["-c:a", "aac", "-b:a", "128k", *VIDEO],
    ]


def clip(number):
    """One of ten different moving pictures without sound."""
    picture = [
        f"testsrc2={SIZE}",
        f"gradients={SIZE}:speed=0.05:seed={number}:n=5",
        f"sierpinski={SIZE}:seed={number}:jump=30",
    ][number % 3]
    effects = f"hue=h={36 * number},noise=alls=4:allf=t,format=yuv420p"
    return ["-f", "lavfi", "-i", picture, "-t", "6", "-vf", effects, "-an", *VIDEO]


def music():
    channels = ["+".join(f"0.2*sin(2*PI*{pitch}*t)" for pitch in pitches) for pitches in CHORD.values()]
    chord = f"aevalsrc='{'|'.join(channels)}':s=44100"
    return ["-f", "lavfi", "-i", chord, "-t", "60", "-c:a", "libmp3lame", "-b:a", "192k"]


def files():
    fractal = f"mandelbrot={SIZE}:end_scale=0.02:end_pts=200:maxiter=400"
    made = {
        "hello_world.mp4": looped(fractal, 330, 4, ""),
        "welcome_everyone.mp4": looped(f"testsrc2={SIZE}", 220, 10, "rotate=a=0.05*sin(t):ow=iw:oh=ih,"),
        "music.mp3": music(),
    }
    made.update({f"clip{number}.mp4": clip(number) for number in range(10)})
    return made


def make(directory):
    """Makes what is missing."""
    os.makedirs(directory, exist_ok=True)
    for name, arguments in files().items():
        path = os.path.join(directory, name)
        if os.path.exists(path):
            continue
        print(f"making {name}", file=sys.stderr)
        part = os.path.join(directory, f"part-{name}")
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, part], check=True)
        os.rename(part, path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(sys.argv[1])
