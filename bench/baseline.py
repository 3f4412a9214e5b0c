#!/usr/bin/env python3
"""A storyboard of the benchmark as one ffmpeg command, in the way in which a skilled user would write it.

    baseline.py S|L|T MEDIA OUT.mp4          renders it

Every clip is looped, scaled and captioned, all are joined in one filter graph, and each output frame is encoded.
"""

import os
import sys

from storyboards import FPS, KINDS, storyboard

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
ENCODER = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-r", str(FPS)]
FFMPEG = ["ffmpeg", "-nostdin", "-v", "error", "-y"]


def inputs(board, media):
    """Arguments that open each scene's clip for as long as the scene lasts."""
    words = []
    for scene in board["scenes"]:
        path = os.path.join(media, scene["backgroundUri"])
        words += ["-stream_loop", "-1", "-t", str(scene["minimumDuration"]), "-i", path]
    return words


def pictures(board, captions=True, first_input=0):
    """The filter graph that makes the film's pictures; its output is `[v]`."""
    width, height = board["videoWidth"], board["videoHeight"]
    chains = []
    for number, scene in enumerate(board["scenes"]):
        steps = [f"fps={FPS}", f"scale={width}:{height}:flags=bicubic", "setsar=1", "format=yuv420p"]
        if captions:
            steps.append(caption(scene["text"], height))
        chains.append(f"[{first_input + number}:v]{','.join(steps)}[v{number}]")
    joined = "".join(f"[v{number}]" for number in range(len(chains)))
    return ";".join([*chains, f"{joined}concat=n={len(chains)}:v=1:a=0[v]"])


def caption(text, height):
    """White letters on a half transparent box, its middle at four fifths of the height."""
    settings = {
        "fontfile": FONT,
        "text": f"'{text}'",
        "fontsize": height // 18,
        "fontcolor": "white",
        "box": 1,
        "boxcolor": "black@0.5",
        "boxborderw": height // 45,
        "x": "(w-tw)/2",
        "y": "h*0.8-th/2",
    }
    return "drawtext=" + ":".join(f"{name}={value}" for name, value in settings.items())


def film(board, media, out):
    """The command that renders the film."""
    length = sum(scene["minimumDuration"] for scene in board["scenes"])
    music = len(board["scenes"])
    volume = board["audio"]["backGroundMusicVolume"]
    sound = f"[{music}:a]volume={volume},aresample=48000,atrim=0:{length}[a]"
    return [
        *FFMPEG,
        *inputs(board, media),
        *["-stream_loop", "-1", "-t", str(length), "-i", os.path.join(media, board["audio"]["backGroundMusicUri"])],
        *["-filter_complex", f"{pictures(board)};{sound}", "-map", "[v]", "-map", "[a]"],
        *ENCODER,
        *["-c:a", "aac", "-b:a", "192k", "-ar", "48000", "-t", str(length), "-movflags", "+faststart", out],
    ]


def raw_frames(board, media):
    """The command that writes the film's pictures to standard output, not encoded."""
    graph = ["-filter_complex", pictures(board), "-map", "[v]"]
    return [*FFMPEG, *inputs(board, media), *graph, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]


def encode_raw(board, out):
    """The command that encodes what [`raw_frames`] writes, from standard input, and does nothing else."""
    size = f"{board['videoWidth']}x{board['videoHeight']}"
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", str(FPS), "-i", "-"]
    return ["ffmpeg", "-v", "error", "-y", *source, *ENCODER, out]


def similarity(board, media, path):
    """The command that prints SSIM of a film against its scaled sources, without the third where the caption is."""
    above = "crop=iw:ih*2/3:0:0"
    graph = f"{pictures(board, captions=False, first_input=1)};[0:v]{above}[film];[v]{above}[plain];[film][plain]ssim"
    return ["ffmpeg", "-nostdin", "-i", path, *inputs(board, media), "-filter_complex", graph, "-f", "null", "-"]


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    command = film(storyboard(sys.argv[1]), sys.argv[2], sys.argv[3])
    os.execvp(command[0], command)
