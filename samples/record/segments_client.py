"""A client that decides which octets travel in which segment: it plays a script.

usage: segments_client.py HOST PORT < SCRIPT

Lines of a script:
    < CODE    a reply with this code is awaited (all its lines)
    > OCTETS  written at once, so that they are a segment of their own; backslash escapes as in Python
    >> FILE   the octets of a file, written at once
    # TEXT    a remark
"""

import re
import socket
import sys
import time


def unescaped(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def main() -> None:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        replies = connection.makefile("rb")
        for step in sys.stdin.read().splitlines():
            what, _, text = step.strip().partition(" ")
            if what == "<":
                line = b"-"
                while re.match(rb"\d{3}-|-", line):
                    line = replies.readline()
                if not line.startswith(text.encode()):
                    sys.exit(f"wanted {text!r}, got {line!r}")
            elif what in (">", ">>"):
                time.sleep(0.05)
                if what == ">":
                    connection.sendall(unescaped(text))
                else:
                    with open(text, "rb") as file:
                        connection.sendall(file.read())
            elif what not in ("", "#"):
                sys.exit(f"not a step: {step!r}")


if __name__ == "__main__":
    main()
