"""Tones in WAV files: makes one, and finds one by Goertzel's algorithm."""

import array
import math
import wave

RATE = 8000


def write_tone(path, hertz, seconds=30):
    samples = array.array("h", (int(12000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(seconds * RATE)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def strength(samples, hertz):
    """The share of the signal's energy at that frequency: near 1 for a pure tone."""
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in samples:
        last, before = sample + turn * last - before, last
    power = last * last + before * before - turn * last * before
    energy = sum(sample * sample for sample in samples)
    return 0.0 if energy == 0 else 2 * power / (len(samples) * energy)


def hears(path, wanted, unwanted):
    """True when at least a second of the recording is the wanted tone and none of it the unwanted one."""
    with wave.open(str(path), "rb") as file:
        assert file.getframerate() == RATE and file.getnchannels() == 1, f"{path} has another format"
        samples = array.array("h", file.readframes(file.getnframes()))
    blocks = [samples[start:start + RATE // 10] for start in range(0, len(samples) - RATE // 10, RATE // 10)]
    found = sum(strength(block, wanted) > 0.8 for block in blocks)
    wrong = sum(strength(block, unwanted) > 0.2 for block in blocks)
    return found >= 10 and wrong == 0
