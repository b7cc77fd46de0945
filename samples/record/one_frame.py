"""Writes gmail-2019-frame.pcap: one published frame of a real mail submission to a large provider, octet for octet.

usage: one_frame.py OUT

The frame was taken on 2019-10-08, 233.370790 s after the start of its capture. The time of day is not known: the
capture is taken to have begun at 00:00:00 UTC.
"""

import struct
import sys

FRAME = bytes.fromhex(
    "3c15c2eb647488a25e5ad8e008004500005e811f00006d06d4f9adc2426c8992"
    "7dc001d1ffd25189bc16a45039c3801800ff73fd00000101080a6489863b0dac"
    "088e1703030025112a8eb7b8d7112abcec146046b507a56ee05d87b42d757301"
    "0376b63ff6507d9ae535365c"
)
MIDNIGHT = 1570492800
SECONDS, MICROSECONDS = 233, 370790


def main() -> None:
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    record = struct.pack("<IIII", MIDNIGHT + SECONDS, MICROSECONDS, len(FRAME), len(FRAME))
    with open(sys.argv[1], "wb") as file:
        file.write(header + record + FRAME)


if __name__ == "__main__":
    main()
