#!/usr/bin/env python3
"""The benchmark's storyboards.

    storyboards.py S|L|T|hour       prints one

S: two scenes of 5 s. L: ten of 30 s. Both alternate a loop of 4 s and one of 10 s, each under one caption, with music.
T: ten scenes of 6 s, ten different clips, nothing repeats. hour: L twelve times as long.
"""

import json
import sys

SCENES = [
    ("hello_world.mp4", "Hello world! Good morning!"),
    ("welcome_everyone.mp4", "Welcome and have a wonderful day ahead!"),
]
# Number of scenes, seconds of each.
KINDS = {"S": (2, 5), "L": (10, 30), "T": (10, 6), "hour": (120, 30)}
FPS = 30


def storyboard(kind, width=1280, height=720):
    count, seconds = KINDS[kind]
    return {
        "videoName": kind,
        "videoWidth": width,
        "videoHeight": height,
        "audio": {"backGroundMusicUri": "music.mp3", "backGroundMusicVolume": 0.5},
        "scenes": [scene(number, seconds, kind == "T") for number in range(count)],
    }


def scene(number, seconds, all_different):
    file, text = SCENES[number % 2]
    return {
        "text": text,
        "backgroundUri": f"clip{number}.mp4" if all_different else file,
        "backgroundType": "video",
        "loopBackgroundVideo": True,
        "muteBackgroundVideo": True,
        "minimumDuration": seconds,
    }


def with_other_caption(board, text):
    """The same with another text over the first scene, which is one of those over the short loop."""
    first, *others = board["scenes"]
    return {**board, "scenes": [{**first, "text": text}, *others]}


def frames(board):
    return sum(scene["minimumDuration"] for scene in board["scenes"]) * FPS


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    print(json.dumps(storyboard(sys.argv[1]), indent=1))
