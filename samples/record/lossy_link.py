"""Forwards Ethernet frames between two interfaces, losing some and delaying some, so that TCP has to repair them.

usage: lossy_link.py INTERFACE INTERFACE SEED LOSS REORDER

LOSS and REORDER are percentages; the random numbers are seeded, one generator for each direction. A delayed frame leaves
20 ms later than the others, which overtake it. ARP is never touched. It does what `tc netem` does, on kernels
that are built without it.
"""

import heapq
import random
import select
import socket
import struct
import sys
import time

DELAY = 0.005
EXTRA_DELAY = 0.020
PACKET_OUTGOING = 4


def main() -> None:
    names, seed = sys.argv[1:3], int(sys.argv[3])
    loss, reorder = float(sys.argv[4]) / 100, float(sys.argv[5]) / 100
    sockets = []
    for name in names:
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        raw.bind((name, 3))
        # Frames for the other host arrive only while the interface is promiscuous.
        membership = struct.pack("iHH8s", socket.if_nametoindex(name), 1, 0, b"")
        raw.setsockopt(263, 1, membership)
        sockets.append(raw)
    chance = [random.Random(seed * 2 + i) for i in range(2)]
    waiting: list[tuple[float, int, int, bytes]] = []
    count = 0
    while True:
        timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for ready in select.select(sockets, [], [], timeout)[0]:
            frame, address = ready.recvfrom(65535)
            if address[2] == PACKET_OUTGOING:
                continue
            way = sockets.index(ready)
            due = time.monotonic() + DELAY
            if frame[12:14] != b"\x08\x06":
                dice = chance[way].random()
                if dice < loss:
                    continue
                if dice < loss + reorder:
                    due += EXTRA_DELAY
            count += 1
            heapq.heappush(waiting, (due, count, 1 - way, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, out, frame = heapq.heappop(waiting)
            sockets[out].send(frame)


if __name__ == "__main__":
    main()
