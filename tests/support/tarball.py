"""Tar, gzip and zstd streams written byte by byte.

Unlike tarfile this can write what no sane program writes, and the same bytes
come out with every Python and every zlib.
"""

import binascii
import struct

BLOCK = 512
END = bytes(2 * BLOCK)


def octal(value, width):
    return b"%0*o\0" % (width - 1, value)


def base256(value, width=12):
    return b"\x80" + value.to_bytes(width - 1, "big")


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def header(name, size=0, kind=b"0", link=b"", mode=0o644, magic=b"ustar\x0000", checksum=None):
    """One header block. `size` may be an int or the raw 12 bytes of the field."""
    field = size if isinstance(size, bytes) else octal(size, 12)
    block = b"".join(
        [
            name.ljust(100, b"\0"),
            octal(mode, 8),
            octal(0, 8),
            octal(0, 8),
            field,
            octal(0, 12),
            b" " * 8,
            kind,
            link.ljust(100, b"\0"),
            magic.ljust(8, b"\0"),
        ]
    ).ljust(BLOCK, b"\0")
    total = sum(block) if checksum is None else checksum
    return block[:148] + b"%06o\0 " % total + block[156:]


def file(name, data, **fields):
    if isinstance(name, str):
        name = name.encode()
    return header(name, fields.pop("size", len(data)), **fields) + padded(data)


def directory(name):
    return header(name.encode() + b"/", kind=b"5", mode=0o755)


def symlink(name, target):
    return header(name.encode(), kind=b"2", link=target.encode(), mode=0o777)


def hardlink(name, target):
    return header(name.encode(), kind=b"1", link=target.encode())


def device(name):
    return header(name.encode(), kind=b"3")


def pax(records, kind=b"x"):
    """A PAX extended header; `records` are (key, value) pairs of bytes."""
    data = b""
    for key, value in records:
        rest = len(key) + len(value) + 3
        length = rest + len(str(rest))
        if len(str(length)) > len(str(rest)):
            length += 1
        data += b"%d %s=%s\n" % (length, key, value)
    return pax_raw(data, kind)


def pax_raw(data, kind=b"x", size=None):
    return header(b"PaxHeaders/0", len(data) if size is None else size, kind=kind) + padded(data)


def gnu_long_name(name):
    data = name.encode() + b"\0"
    return header(b"././@LongLink", len(data), kind=b"L") + padded(data)


def gzip(data):
    """One gzip member of stored deflate blocks."""
    out = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff"]
    chunks = [data[i : i + 65535] for i in range(0, len(data), 65535)] or [b""]
    for i, chunk in enumerate(chunks):
        last = i == len(chunks) - 1
        out.append(struct.pack("<BHH", last, len(chunk), 0xFFFF ^ len(chunk)) + chunk)
    out.append(struct.pack("<II", binascii.crc32(data), len(data) & 0xFFFFFFFF))
    return b"".join(out)


ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_BLOCK = 128 * 1024


def zstd_block(payload, size, kind, last):
    return (last | kind << 1 | size << 3).to_bytes(3, "little") + payload


def zstd(data, window=b"\x38"):
    """One zstd frame of raw blocks; `window` is the Window_Descriptor (0x38: 128 KiB)."""
    out = [ZSTD_MAGIC, b"\0", window]
    chunks = [data[i : i + ZSTD_BLOCK] for i in range(0, len(data), ZSTD_BLOCK)] or [b""]
    for i, chunk in enumerate(chunks):
        out.append(zstd_block(chunk, len(chunk), 0, i == len(chunks) - 1))
    return b"".join(out)


def zstd_zeros(blocks):
    """A zstd frame of `blocks` * 128 KiB zeros, 4 bytes for each block."""
    block = zstd_block(b"\0", ZSTD_BLOCK, 1, 0)
    return ZSTD_MAGIC + b"\0\x38" + block * blocks + zstd_block(b"", 0, 0, 1)


def zstd_skippable(data):
    return b"\x50\x2a\x4d\x18" + struct.pack("<I", len(data)) + data
