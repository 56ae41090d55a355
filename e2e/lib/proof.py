"""The frame of a proof: its own namespaces, one line for each thing shown, an exit status."""

import sys
import time
import traceback

from isolation import isolate

began = time.monotonic()


def shown(text):
    """Says what has just been shown."""
    print(f"ok  {time.monotonic() - began:6.1f} s  {text}", flush=True)


def demand(condition, text):
    """Ends the proof as failed when the condition does not hold; else says that it does."""
    assert condition, text
    shown(text)


def prove(function):
    """Runs a proof and ends the process."""
    isolate()
    try:
        function()
    except AssertionError as error:
        traceback.print_exc()
        print(f"FAILED: {error}", flush=True)
        sys.exit(1)
    sys.exit(0)
