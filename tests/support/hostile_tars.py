"""Files that are no archive, tars that lie, and compression that explodes."""

import tarball
from hostile_archives import hostile
from images import BASE, Docker, layer
from tarball import END, base256, file, gzip, header, pax, pax_raw, zstd

GOOD = Docker("hostile:1")


def before(entry):
    """An archive with `entry` behind a good one, before all that counts."""
    return lambda: GOOD.archive(before=file("first", b"first") + entry)


def crafted(**fields):
    return before(file("crafted", b"data", **fields))


# 8, 41: entries after which parsers disagree where the next one starts.
hostile(
    8,
    "hard-link-with-data",
    "EINVAL|EBADMSG",
    "hard ?link",
    before(file("l", b"data", kind=b"1", link=b"manifest.json")),
)
hostile(41, "regular-file-named-f-slash", "EINVAL|EBADMSG", "f/", before(file("f/", b"data")))

# 31, 32, 34, 35: compression.
hostile(
    31,
    "zstd-bomb",
    "EFBIG",
    "ratio|times|expands|limit",
    lambda: zstd(header(b"zeros", base256(10 << 30)))
    + tarball.zstd_zeros((10 << 30) // (128 << 10)),
)
hostile(
    32,
    "zstd-layer-bomb",
    "EFBIG",
    "ratio|times|expands|limit",
    lambda: Docker(
        "hostile:1",
        layers=(zstd(header(b"zeros", 4 << 30)) + tarball.zstd_zeros((4 << 30) // (128 << 10)),),
    ).archive(),
)
hostile(
    33, "gzip-of-gzip", "EINVAL|EOPNOTSUPP", "compressed twice", lambda: gzip(gzip(GOOD.archive()))
)
hostile(
    34,
    "zstd-window-of-2-gib",
    "EOPNOTSUPP",
    "window|memory",
    lambda: zstd(GOOD.archive(), window=b"\xa8"),
)
hostile(
    35,
    "garbage-after-gzip",
    "EBADMSG",
    "after|trailing|gzip",
    lambda: gzip(GOOD.archive()) + b"x" * 100,
)
hostile(
    35,
    "one-byte-after-zstd",
    "EBADMSG",
    "bytes follow its end",
    lambda: zstd(GOOD.archive()) + b"x",
)
hostile(
    36,
    "cut-gzip",
    "ENODATA|EBADMSG",
    "gzip|cut|truncated|ends",
    lambda: gzip(GOOD.archive())[:-1600],
)
hostile(36, "cut-zstd", "ENODATA", "zstd stream has no end", lambda: zstd(GOOD.archive())[:400])

# 37: no image archive; the reasons differ.
FILES = {
    "nuls": (bytes(1024), "holds no files"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(2000), "JPEG"),
    "elf": (b"\x7fELF\x02\x01\x01" + bytes(2000), "ELF"),
    "zip": (b"PK\x03\x04\x14\0" + bytes(2000), "zip"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(2000), "7z"),
    "cpio": (b"070701" + b"0" * 104 + bytes(2000), "cpio"),
    "short-json": (b'{"a":1}', "JSON"),
    "short-html": (b"<html></html>\n", "HTML"),
    "text": (b"hello\n", "6 bytes"),
    "rootfs": (layer("bin/sh", "etc/passwd"), "manifest.json"),
    "repositories-only": (
        file("repositories", b"{}") + file("1a/layer.tar", BASE) + END,
        "repositories",
    ),
}
for name, (data, reason) in FILES.items():
    errno_name = "ENODATA" if name == "text" else "EINVAL"  # a few bytes of text may be cut
    hostile(37, f"no-image-{name}", errno_name, reason, lambda data=data: data)

# 39: headers that lie.
for name, errno_names, reason, fields in (
    ("bad-checksum", "EINVAL|EBADMSG", "header|checksum", {"checksum": 1}),
    ("negative-octal-size", "EINVAL|EBADMSG", "corrupt before byte", {"size": b"-0000000001\0"}),
    ("negative-base-256-size", "EINVAL|EBADMSG", "size|header", {"size": b"\xff" * 12}),
    ("size-2-62", "EINVAL|EBADMSG|EFBIG|ENODATA", "size|bytes", {"size": base256(1 << 62)}),
):
    hostile(39, name, errno_names, reason, crafted(**fields))
for name, size in {"minus-1": b"-1", "2-63": b"9223372036854775808", "word": b"many"}.items():
    entry = pax([(b"size", size)]) + file("crafted", b"data")
    hostile(39, f"pax-size-{name}", "EINVAL|EBADMSG", "corrupt before byte|size", before(entry))

# 40: extended headers.
hostile(
    40,
    "pax-header-of-8-gib",
    "EINVAL|EBADMSG|EFBIG",
    "header|large|limit",
    before(header(b"x", 8 << 30, kind=b"x") + bytes(4 << 20)),
)
hostile(
    40,
    "gnu-name-of-8-gib",
    "EINVAL|EBADMSG|EFBIG",
    "name|header|large|limit",
    before(header(b"././@LongLink", 8 << 30, kind=b"L") + bytes(4 << 20)),
)
XATTRS = [(b"SCHILY.xattr.user.n%d" % i, b"v" * 40) for i in range(20_000)]
hostile(
    40,
    "20000-xattrs",
    "EINVAL|EBADMSG|EFBIG",
    "header|xattr|large|limit",
    before(pax(XATTRS) + file("crafted", b"data")),
)
for name, data in {
    "length-too-long": b"99 path=crafted\n",
    "length-too-short": b"3 path=crafted\n",
    "length-no-number": b"xx path=crafted\n",
    "no-equals-sign": b"8 path1\n",
}.items():
    entry = pax_raw(data) + file("crafted", b"data")
    hostile(40, f"pax-{name}", "EINVAL|EBADMSG", "corrupt before byte|PAX", before(entry))
hostile(
    40,
    "nul-in-pax-path",
    "EINVAL|EBADMSG",
    "NUL|PAX|pax",
    before(pax([(b"path", b"manifest.json\0x")]) + file("crafted", b"data")),
)
hostile(
    40,
    "global-pax-path",
    "EINVAL|EBADMSG",
    "global|PAX|pax|path",
    before(pax([(b"path", b"manifest.json")], kind=b"g")),
)
