#!/usr/bin/env python3
"""Stands in for the interpreter of the child: it says it is ready and answers whatever it is asked with ``JUNK``."""

import os
import sys

WORDS = {"nested": b"[" * 200_000, "number": b'{"id": ' + b"9" * 5000 + b"}", "bytes": b"\xff\xfe", "list": b"[1]"}

sys.stdout.buffer.write(b'{"ready": true}\n')
sys.stdout.buffer.flush()
for _line in sys.stdin.buffer:
    sys.stdout.buffer.write(WORDS[os.environ["JUNK"]] + b"\n")
    sys.stdout.buffer.flush()
