"""A box on the way that passes SMTP on, and takes STARTTLS away as boxes of this kind do.

usage: stripping_box.py ADDRESS PORT SERVER_ADDRESS SERVER_PORT MODE_FILE

For each connection it reads from MODE_FILE what to do with the keyword STARTTLS in the server's replies: `pass` it on,
`mask` it with X of the same length (as firewalls do that inspect mail), or `strip` its line.
"""

import re
import socket
import sys
import threading


def changed(reply: bytes, mode: str) -> bytes:
    if mode == "mask":
        return reply.replace(b"-STARTTLS\r\n", b"-XXXXXXXA\r\n")
    if mode == "strip":
        return re.sub(rb"\d{3}-STARTTLS\r\n", b"", reply)
    return reply


def pump(source: socket.socket, target: socket.socket, mode: str) -> None:
    while piece := source.recv(65536):
        target.sendall(changed(piece, mode))
    target.shutdown(socket.SHUT_WR)


def main() -> None:
    address, port, server, server_port, mode_file = sys.argv[1:]
    with socket.create_server((address, int(port))) as listener:
        while True:
            client, _ = listener.accept()
            with open(mode_file, encoding="ascii") as file:
                mode = file.read()
            upstream = socket.create_connection((server, int(server_port)))
            for source, target, change in ((client, upstream, "pass"), (upstream, client, mode)):
                threading.Thread(target=pump, args=(source, target, change), daemon=True).start()


if __name__ == "__main__":
    main()
