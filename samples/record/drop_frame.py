"""Copies a classic pcap file but leaves one full-sized data frame out, as a recorder that lost a packet would.

usage: drop_frame.py IN OUT WHICH

WHICH counts the frames of 1000 octets or more, from 1.
"""

import struct
import sys


def main() -> None:
    source, target, which = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(source, "rb") as file:
        data = file.read()
    kept, offset, number, large = [data[:24]], 24, 0, 0
    left_out = None
    while offset < len(data):
        captured = struct.unpack_from("<I", data, offset + 8)[0]
        record = data[offset : offset + 16 + captured]
        offset += len(record)
        number += 1
        large += captured >= 1000
        if captured >= 1000 and large == which:
            left_out = number
        else:
            kept.append(record)
    if left_out is None:
        sys.exit(f"{source} has only {large} large frames")
    with open(target, "wb") as file:
        file.write(b"".join(kept))
    print(f"left out packet {left_out} of {number}")


if __name__ == "__main__":
    main()
