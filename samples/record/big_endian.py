"""Rewrites a little-endian classic pcap file in big-endian byte order; the frames stay as they are.

usage: big_endian.py IN OUT
"""

import struct
import sys


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    out = [struct.pack(">IHHiIII", *struct.unpack_from("<IHHiIII", data, 0))]
    offset = 24
    while offset < len(data):
        fields = struct.unpack_from("<IIII", data, offset)
        out += [struct.pack(">IIII", *fields), data[offset + 16 : offset + 16 + fields[2]]]
        offset += 16 + fields[2]
    with open(sys.argv[2], "wb") as file:
        file.write(b"".join(out))


if __name__ == "__main__":
    main()
