"""A mail as a proxy and a filter in front of a mail server send it: the header of the PROXY protocol (version 2) before the
greeting, XCLIENT and a second greeting, XFORWARD, and the parameters of delivery reports.

usage: proxy_client.py HOST PORT
"""

import ipaddress
import socket
import struct
import sys

CLIENT = ("192.0.2.77", 54321)
TEXT = """\
From: Alice <alice@example.org>\r
To: Bob <bob@example.org>\r
Subject: through the proxy\r
Message-ID: <proxied-1@client.example.org>\r
\r
Hello Bob, this went through two machines before it reached you.\r
.\r
"""


def proxy_header(server: tuple[str, int]) -> bytes:
    """The client and the server in octets; then, as type, length and value, the host name that was asked for."""
    addresses = ipaddress.ip_address(CLIENT[0]).packed + ipaddress.ip_address(server[0]).packed
    ports = struct.pack("!HH", CLIENT[1], server[1])
    name = b"mail.example.org"
    rest = addresses + ports + b"\x02" + struct.pack("!H", len(name)) + name
    return b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11" + struct.pack("!H", len(rest)) + rest


def main() -> None:
    host, port = sys.argv[1], int(sys.argv[2])
    with socket.create_connection((host, port)) as connection:
        replies = connection.makefile("rb")

        def reply() -> None:
            while (line := replies.readline())[3:4] == b"-":
                print(line.decode().rstrip())
            print(line.decode().rstrip())

        def say(text: str) -> None:
            connection.sendall(text.encode())
            reply()

        connection.sendall(proxy_header(connection.getpeername()))
        reply()
        say("EHLO proxy.example.org\r\n")
        say("XCLIENT NAME=desk.example.org ADDR=192.0.2.78 PROTO=ESMTP HELO=desk+2Fold.example.org\r\n")
        say("EHLO desk.example.org\r\n")
        say("XFORWARD NAME=laptop.example.org ADDR=192.0.2.79 IDENT=4711 SOURCE=LOCAL\r\n")
        say("MAIL FROM:<alice@example.org> RET=HDRS ENVID=trip+2B42 AUTH=<>\r\n")
        say("RCPT TO:<bob@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob+2Bold@example.org\r\n")
        say("RCPT TO:<carol@example.org> NOTIFY=NEVER\r\n")
        say("DATA\r\n")
        say(TEXT)
        say("QUIT\r\n")


if __name__ == "__main__":
    main()
