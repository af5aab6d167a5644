"""Archives that real tools write, or may write, and that must be imported.

What must come of each stands in tests/mount/odd_archives.tsv.
"""

import tarball
from images import BASE, TOP, Docker, config, docker_manifest, layer, sha256
from tarball import directory, file, gzip, hardlink, pax, symlink, zstd, zstd_skippable

ARCHIVES = {}


def archive(build):
    """Registers a function, whose name is the archive's, that gives the archive's bytes."""
    ARCHIVES[build.__name__.replace("_", "-")] = build
    return build


@archive
def manifest_last():
    return Docker("odd/manifest-last:1").archive()


@archive
def manifest_first():
    image = Docker("odd/manifest-first:1")
    manifest = file("manifest.json", image.manifest())
    return manifest + image.config_entry() + image.layer_entries() + tarball.END


@archive
def old_docker_save():
    image = Docker("odd/old-save:1", "odd/old-save:also")
    image.layer_names = ["1a/layer.tar", "2b/layer.tar"]
    extra = b"".join(
        directory(i) + file(f"{i}/VERSION", b"1.0") + file(f"{i}/json", b"{}") for i in ("1a", "2b")
    )
    repositories = file("repositories", b'{"odd/old-save":{"1":"2b"}}')
    return image.archive(before=extra, after=repositories)


@archive
def layer_is_a_symlink():
    image = Docker("odd/symlink:1", layers=(BASE, TOP, BASE))
    image.layer_names = ["1a/layer.tar", "2b/layer.tar", "3c/layer.tar"]
    manifest = file("manifest.json", image.manifest())
    entries = file("1a/layer.tar", BASE) + file("2b/layer.tar", TOP)
    link = symlink("3c/layer.tar", "../1a/layer.tar")
    return entries + link + image.config_entry() + manifest + tarball.END


@archive
def symlink_to_a_later_entry():
    image = Docker("odd/later:1")
    image.layer_names = ["1a/layer.tar", "2b/layer.tar"]
    manifest = file("manifest.json", image.manifest())
    link = symlink("1a/layer.tar", "../9z/layer.tar")
    entries = file("2b/layer.tar", TOP) + image.config_entry() + file("9z/layer.tar", BASE)
    return link + manifest + entries + tarball.END


@archive
def eight_symlinks_in_a_row():
    image = Docker("odd/hops:1", layers=(BASE,))
    image.layer_names = ["hop8"]
    links = b"".join(symlink(f"hop{i}", f"hop{i - 1}") for i in range(1, 9))
    manifest = file("manifest.json", image.manifest())
    return links + file("hop0", BASE) + image.config_entry() + manifest + tarball.END


@archive
def layer_is_a_hard_link():
    image = Docker("odd/hardlink:1", layers=(BASE, BASE))
    image.layer_names = ["a.tar", "b.tar"]
    entries = file("a.tar", BASE) + hardlink("b.tar", "a.tar")
    manifest = file("manifest.json", image.manifest())
    return entries + image.config_entry() + manifest + tarball.END


@archive
def dot_slash_entries():
    image = Docker("odd/dot-slash:1")
    entries = b"".join(file("./" + n, x) for n, x in zip(image.layer_names, image.layers))
    entries += file("./" + image.config_name, image.config)
    return directory(".") + entries + file("./manifest.json", image.manifest()) + tarball.END


@archive
def untidy_names_in_the_manifest():
    image = Docker("odd/untidy:1", layers=(BASE,))
    entries = file("d/layer.tar", BASE) + image.config_entry()
    image.layer_names = ["./d//layer.tar"]
    return entries + file("manifest.json", image.manifest()) + tarball.END


@archive
def common_directory():
    image = Docker("odd/common:1")
    entries = b"".join(file("top/" + n, x) for n, x in zip(image.layer_names, image.layers))
    entries += file("top/" + image.config_name, image.config)
    return directory("top") + entries + file("top/manifest.json", image.manifest()) + tarball.END


@archive
def several_images():
    one, two = Docker("odd/one:1", "odd/one:2"), Docker("odd/two:1", layers=(BASE,))
    manifest = docker_manifest(
        *[(i.config_name, i.names, i.layer_names) for i in (one, two)],
    )
    return one.archive(after=two.config_entry(), manifest=manifest)


@archive
def layer_listed_twice():
    return Docker("odd/twice:1", layers=(BASE, BASE)).archive()


@archive
def names_null():
    image = Docker(layers=(layer("null"),))
    image.names = None
    return image.archive()


@archive
def names_empty():
    return Docker(layers=(layer("empty"),)).archive()


@archive
def names_of_every_kind():
    names = ["kind", "kind", "localhost:5000/a/b:1", "index.docker.io/library/other:2"]
    names.append("odd/pinned:tag@sha256:" + "0" * 64)
    return Docker(*names, layers=(layer("kind"),)).archive()


@archive
def gzip_layers():
    image = Docker("odd/gzip:1")
    image.layers = [gzip(x) for x in image.layers]
    return image.archive()


@archive
def gzip_members():
    image = Docker("odd/gzip-members:1", layers=(BASE,))
    image.layers = [gzip(BASE[:700]) + gzip(BASE[700:]) + bytes(100)]
    return image.archive()


@archive
def zstd_layers():
    image = Docker("odd/zstd:1")
    image.layers = [zstd(BASE), zstd_skippable(b"index") + zstd(TOP)]
    return image.archive()


@archive
def kaniko():
    image = Docker("odd/kaniko:1")
    image.layers = [gzip(x) for x in image.layers]
    image.layer_names = [sha256(x) + ".tar.gz" for x in image.layers]
    image.config_name = "sha256:" + sha256(image.config)
    return image.archive()


@archive
def no_layers():
    return Docker("odd/no-layers:1", layers=()).archive()


@archive
def many_layers():
    return Docker("odd/many-layers:1", layers=[layer(f"f{i}") for i in range(128)]).archive()


@archive
def no_platform():
    bare = config((BASE,), architecture=None, os=None)
    return Docker("odd/no-platform:1", layers=(BASE,), config_bytes=bare).archive()


@archive
def old_platform():
    old = config((BASE,), architecture="x86_64")
    return Docker("odd/old-platform:1", layers=(BASE,), config_bytes=old).archive()


@archive
def outward_entries_that_nobody_refers_to():
    names = ("/etc/passwd", "../../outside", "a/../../b")
    return Docker("odd/outward:1").archive(before=b"".join(file(n, b"x") for n in names))


@archive
def dangling_symlink_that_nobody_refers_to():
    return Docker("odd/dangling:1").archive(before=symlink("latest", "nowhere"))


@archive
def equal_entries_twice():
    image = Docker("odd/equal:1")
    again = image.layer_entries() + file("manifest.json", image.manifest())
    return image.archive(before=again)


@archive
def padding_and_more_after_the_end():
    image = Docker("odd/padding:1")
    return image.archive() + file("late", b"late") + bytes(1 << 20)


@archive
def no_end_marker():
    return Docker("odd/no-end:1").archive(end=b"")


@archive
def long_names():
    image = Docker("odd/long:1")
    image.layer_names = ["gnu/" + "g" * 200, "pax/" + "p" * 200]
    gnu, posix = image.layer_names
    entries = tarball.gnu_long_name(gnu) + file("short", BASE)
    entries += pax([(b"path", posix.encode())]) + file("short", TOP)
    comment = pax([(b"comment", b"as git archive writes it")], kind=b"g")
    manifest = file("manifest.json", image.manifest())
    return comment + entries + image.config_entry() + manifest + tarball.END


@archive
def pax_size_wins():
    image = Docker("odd/pax-size:1", layers=(BASE,))
    size = pax([(b"size", b"%d" % len(BASE))])
    entry = size + file(image.layer_names[0], BASE, size=0)
    manifest = file("manifest.json", image.manifest())
    return entry + image.config_entry() + manifest + tarball.END


@archive
def base_256_sizes():
    image = Docker("odd/base-256:1", layers=(BASE,))
    entry = file(image.layer_names[0], BASE, size=tarball.base256(len(BASE)))
    manifest = file("manifest.json", image.manifest())
    return entry + image.config_entry() + manifest + tarball.END
