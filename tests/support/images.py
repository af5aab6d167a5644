"""Small images, and the documents that describe them, for the generators of archives."""

import hashlib
import json

import tarball


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def layer(*names):
    """A layer with one small file for each name."""
    return b"".join(tarball.file(n, b"content of %s\n" % n.encode()) for n in names) + tarball.END


BASE = layer("etc/base", "usr/bin/tool")
TOP = layer("etc/top")


def config(layers, **members):
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(x) for x in layers]},
    }
    document.update(members)
    return compact({k: v for k, v in document.items() if v is not None})


def docker_manifest(*images):
    """manifest.json of (config name, names, layer names) triples."""
    return compact([{"Config": c, "RepoTags": n, "Layers": x} for c, n, x in images])


class Docker:
    """A Docker archive as skopeo writes it, whose parts can be replaced one by one."""

    def __init__(self, *names, layers=(BASE, TOP), config_bytes=None):
        self.names = list(names)
        self.layers = list(layers)
        self.config = config(layers) if config_bytes is None else config_bytes
        self.config_name = sha256(self.config) + ".json"
        self.layer_names = [sha256(x) + ".tar" for x in self.layers]

    def manifest(self):
        return docker_manifest((self.config_name, self.names, self.layer_names))

    def layer_entries(self):
        pairs = dict(zip(self.layer_names, self.layers))
        return b"".join(tarball.file(n, x) for n, x in pairs.items())

    def config_entry(self):
        return tarball.file(self.config_name, self.config)

    def archive(self, before=b"", after=b"", manifest=None, end=tarball.END):
        return b"".join(
            [
                before,
                self.layer_entries(),
                self.config_entry(),
                after,
                tarball.file("manifest.json", self.manifest() if manifest is None else manifest),
                end,
            ]
        )


OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"


def descriptor(media_type, data, /, **members):
    base = {"mediaType": media_type, "digest": "sha256:" + sha256(data), "size": len(data)}
    return base | members


def oci_manifest(config_bytes, layers, /, **members):
    base = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG, config_bytes),
        "layers": [descriptor(OCI_LAYER, x) for x in layers],
    }
    return compact(base | members)


def oci_index(*descriptors, **members):
    return compact({"schemaVersion": 2, "manifests": list(descriptors)} | members)


def blob_name(data):
    return "blobs/sha256/" + sha256(data)


def blob(data):
    return tarball.file(blob_name(data), data)


OCI_LAYOUT = tarball.file("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')


def oci_archive(index, *blobs, layout=OCI_LAYOUT, after=b""):
    return b"".join(
        [layout, tarball.file("index.json", index), *map(blob, blobs), after, tarball.END]
    )
