"""The smallest client: a socket, one reply awaited for each command, body and final dot in one write.

usage: socket_client.py HOST PORT
"""

import socket
import sys

MESSAGE = (
    "From: Alice <alice@example.org>\r\n"
    "To: Bob <bob@example.org>\r\n"
    "Subject: sensor 7\r\n"
    "\r\n"
    "Temperature 21.4 C\r\n"
    "Humidity 48 %\r\n"
    "..this line begins with one dot\r\n"
)


def main() -> None:
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
        replies = connection.makefile("rb")

        def reply(code: bytes) -> None:
            while True:
                line = replies.readline()
                if line[3:4] != b"-":
                    break
            if not line.startswith(code):
                sys.exit(f"wanted {code!r}, got {line!r}")

        reply(b"220")
        for command, code in (
            ("HELO client.example.org", b"250"),
            ("MAIL FROM:<alice@example.org>", b"250"),
            ("RCPT TO:<bob@example.org>", b"250"),
            ("DATA", b"354"),
            (MESSAGE + ".", b"250"),
            ("QUIT", b"221"),
        ):
            connection.sendall(command.encode() + b"\r\n")
            reply(code)


if __name__ == "__main__":
    main()
