#!/usr/bin/env python3
"""Writes a recording case: gen.py FAMILY SEED CASE_DIR.

A case is case.env and ops, as record.sh and guest/main.go read them. Each
family stresses one part of the allocator; see FAMILIES below.
"""
import os
import random
import sys

KB, MB = 1024, 1 << 20


class Case:
    """An operation script under construction, with the files it has made."""

    def __init__(self, seed, **env):
        self.r = random.Random(seed)
        self.env = {"SIZE": "512M", "MKFS": "-b 4096", "MOUNT": "commit=9999", "SMP": "1", "TUNABLES": ""}
        self.env.update(env)
        self.ops, self.files, self.n = [], {}, 0  # files: path -> size

    def op(self, *a):
        self.ops.append(" ".join(str(x) for x in a))

    def dirs(self, k):
        for i in range(k):
            self.op("mkdir", f"d{i}")
        return [f"d{i}" for i in range(k)]

    def path(self, d):
        self.n += 1
        return f"{d}/f{self.n}"

    def size(self, lo, hi):
        """Log-uniform size in bytes."""
        import math
        return int(math.exp(self.r.uniform(math.log(lo), math.log(hi))))

    def create(self, d, size, fsync=True, chunk=None):
        p = self.path(d)
        self.op("creat", "x", p)
        off = 0
        while off < size:
            n = min(chunk or size, size - off)
            self.op("write", "x", off, n)
            off += n
            if fsync and chunk:
                self.op("fsync", "x")
        if fsync and not chunk:
            self.op("fsync", "x")
        self.op("close", "x")
        self.files[p] = size
        return p

    def delete(self):
        if self.files:
            p = self.r.choice(sorted(self.files))
            del self.files[p]
            self.op("unlink", p)

    def cpu(self):
        self.op("cpu", self.r.randrange(int(self.env["SMP"])))

    def save(self, out):
        os.makedirs(out, exist_ok=True)
        opts = self.env["MKFS"] + " -O ^orphan_file,^metadata_csum_seed"
        self.env["MKFS"] = opts
        with open(f"{out}/case.env", "w") as f:
            for k, v in self.env.items():
                f.write(f'{k}="{v}"\n')
        with open(f"{out}/ops", "w") as f:
            f.write("\n".join(self.ops) + "\n")


def small_files(seed, n=400, **env):
    """Small files on four CPUs: locality-group preallocation, one list per CPU."""
    c = Case(seed, SMP="4", **env)
    ds = c.dirs(6)
    for i in range(n):
        c.cpu()
        c.create(c.r.choice(ds), c.size(1, 100 * KB))
        if i > 50 and c.r.random() < 0.4:
            c.delete()
        if i % 97 == 96:
            c.op("sync")
    return c


def untar(seed, **env):
    """Files written and closed, then one sync: writeback sees no writer, so no preallocation."""
    c = Case(seed, **env)
    ds = c.dirs(8)
    for _ in range(3):
        for _ in range(120):
            c.create(c.r.choice(ds), c.size(200, 300 * KB), fsync=False)
        c.op("sync")
        for _ in range(60):
            c.delete()
    c.op("sync")
    return c


def streams(seed, **env):
    """Concurrent appenders: inode preallocation, normalization, the stream goal."""
    c = Case(seed, SMP="4", SIZE="1G", **env)
    ds = c.dirs(4)
    fds = []
    for i in range(6):
        p = c.path(ds[i % 4])
        c.op("creat", f"s{i}", p)
        fds.append([f"s{i}", 0])
    for _ in range(160):
        c.cpu()
        s = c.r.choice(fds)
        n = c.size(4 * KB, 6 * MB)
        c.op("write", s[0], s[1], n)
        c.op("fsync", s[0])
        s[1] += n
    for s in fds[:3]:
        c.op("close", s[0])
    c.op("stat")
    return c


def full(seed, **env):
    """Fill to ENOSPC, free at random, refill with larger files: late criteria, lost chunks, discards."""
    c = Case(seed, SIZE="160M", **env)
    ds = c.dirs(4)
    for _ in range(500):
        c.create(c.r.choice(ds), c.size(4 * KB, 2 * MB), fsync=c.r.random() < 0.7)
    c.op("sync")
    for rnd in range(4):
        for _ in range(len(c.files) // 3):
            c.delete()
        c.op("sync")
        c.op("stat")
        for _ in range(60):
            c.create(c.r.choice(ds), c.size(64 * KB, 8 * MB), chunk=c.r.choice([None, 128 * KB, 1 * MB]))
        c.op("sync")
    return c


def holes(seed, direct=True, **env):
    """Random writes into sparse files: normalization between neighbours, preallocation overlap."""
    c = Case(seed, SMP="2", **env)
    ds = c.dirs(2)
    for i in range(4):
        c.op("creat", f"h{i}", c.path(ds[i % 2]))
        if direct and i % 2:
            c.op("close", f"h{i}")
            c.op("open", f"h{i}", f"{ds[i % 2]}/f{c.n}", "direct")
    for k in range(300):
        c.cpu()
        i = c.r.randrange(4)
        off = c.r.randrange(0, 4096) * 4096
        n = c.r.choice([1, 1, 2, 3, 4, 8, 16, 33, 64, 200]) * 4096
        c.op("write", f"h{i}", off, n)
        if i % 2 == 0 and c.r.random() < 0.5:
            c.op("fsync", f"h{i}")
    for i in range(4):
        c.op("fsync", f"h{i}")
    return c


def truncates(seed, **env):
    """Append, truncate, extend and rewrite: preallocation dropped and made again."""
    c = Case(seed, SMP="2", **env)
    ds = c.dirs(3)
    size = []
    for i in range(12):
        c.op("creat", f"t{i}", c.path(ds[i % 3]))
        size.append(0)
    for _ in range(300):
        c.cpu()
        i = c.r.randrange(12)
        x = c.r.random()
        if x < 0.65:
            n = c.size(1, 512 * KB)
            c.op("write", f"t{i}", size[i], n)
            c.op("fsync", f"t{i}")
            size[i] += n
        elif x < 0.85:
            size[i] = c.r.randrange(0, size[i] + 1)
            c.op("ftruncate", f"t{i}", size[i])
        elif size[i]:
            off = c.r.randrange(0, size[i])
            n = min(c.size(1, 64 * KB), size[i] - off)
            c.op("write", f"t{i}", off, n)
            c.op("fsync", f"t{i}")
    return c


def fallocates(seed, **env):
    """Fallocate, keep-size, punch hole, zero range, then writes into unwritten extents."""
    c = Case(seed, **env)
    ds = c.dirs(2)
    for i in range(6):
        c.op("creat", f"a{i}", c.path(ds[i % 2]))
    for _ in range(200):
        i = c.r.randrange(6)
        off, n = c.r.randrange(0, 8192) * 4096, c.r.choice([1, 4, 16, 100, 512, 3000]) * 4096
        x = c.r.random()
        if x < 0.4:
            c.op("fallocate", f"a{i}", c.r.choice([0, 1]), off, n)
        elif x < 0.55:
            c.op("fallocate", f"a{i}", 3, off, n)
        elif x < 0.65:
            c.op("fallocate", f"a{i}", 16, off, n)
        else:
            c.op("write", f"a{i}", off, min(n, 400 * KB))
            c.op("fsync", f"a{i}")
    return c


def directories(seed, **env):
    """Many directories and names: inode placement, directory blocks, hashed directories."""
    c = Case(seed, SIZE="1G", **env)
    ds = []
    for i in range(40):
        parent = "" if not ds or c.r.random() < 0.3 else c.r.choice(ds) + "/"
        d = f"{parent}dir-{i:04d}-{'x' * c.r.randrange(0, 40)}"
        c.op("mkdir", d)
        ds.append(d)
    for i in range(600):
        d = c.r.choice(ds[:3]) if c.r.random() < 0.7 else c.r.choice(ds)
        p = f"{d}/file-{i:05d}-{'y' * c.r.randrange(0, 60)}"
        c.op("creat", "x", p)
        if c.r.random() < 0.5:
            c.op("write", "x", 0, c.size(1, 40 * KB))
            c.op("fsync", "x")
        c.op("close", "x")
    return c


def cold(seed, **env):
    """A file system of many groups, half full, remounted: bitmap prefetch and loading."""
    c = Case(seed, SIZE="6G", **env)
    ds = c.dirs(12)
    for i in range(40):
        p = c.path(ds[i % 12])
        c.op("creat", "x", p)
        c.op("fallocate", "x", 0, 0, c.size(8 * MB, 200 * MB))
        c.op("close", "x")
        c.files[p] = 1
    for _ in range(8):
        c.delete()
    for _ in range(3):
        c.op("remount")
        for _ in range(12):
            c.create(c.r.choice(ds), c.size(4 * KB, 24 * MB))
        c.op("stat")
    return c


def tunable(seed, **env):
    """The full family under one unusual set of tunables, chosen by the seed."""
    sets = [
        "mb_order2_req=0", "mb_order2_req=5", "mb_order2_req=9", "mb_stream_req=0", "mb_stream_req=64",
        "mb_stream_req=100000", "mb_max_to_scan=1", "mb_max_to_scan=20 mb_min_to_scan=1",
        "mb_max_to_scan=1000 mb_min_to_scan=200", "mb_group_prealloc=0", "mb_group_prealloc=64",
        "mb_group_prealloc=2048", "mb_group_prealloc=64 mb_stream_req=64 mb_order2_req=4",
    ]
    env["TUNABLES"] = sets[seed % len(sets)]
    c = Case(seed, SIZE="160M", SMP="2", **env)
    ds = c.dirs(4)
    for i in range(260):
        c.cpu()
        c.create(c.r.choice(ds), c.size(1 * KB, 3 * MB))
        if i > 100 and c.r.random() < 0.7:
            c.delete()
        if i % 50 == 49:
            c.op("sync")
    return c


def with_env(family, **env):
    return lambda seed: family(seed, **env)


def mix_env(r):
    """A random file system, mounted in a random way."""
    bs = r.choice([1024, 2048, 4096, 4096, 4096])
    mkfs, feat = [f"-b {bs}"], []
    size = r.choice(["24M", "64M", "160M", "300M", "512M", "1G"])
    if r.random() < 0.15:
        feat.append("^flex_bg")
    elif r.random() < 0.3:
        mkfs.append(f"-G {r.choice([1, 2, 4, 8, 32, 64])}")
    if r.random() < 0.2:
        mkfs.append(f"-g {r.choice([1024, 2048, 4096, 8192])}" if bs == 1024 else f"-g {r.choice([1024, 4096, 8192, 16384])}")
    elif r.random() < 0.15:
        feat.append("bigalloc")
        mkfs.append(f"-C {bs * r.choice([2, 4, 16])}")
    indirect = "bigalloc" not in feat and r.random() < 0.15
    if indirect:
        feat += ["^extent", "^64bit"]
    if r.random() < 0.1:
        feat.append("^dir_index")
    if r.random() < 0.1:
        feat.append("^has_journal")
    if r.random() < 0.1:
        feat.append("^metadata_csum")
    if r.random() < 0.1:
        feat.append("^resize_inode")
    if r.random() < 0.2:
        mkfs.append(f"-I {r.choice([128, 256, 512])}")
    if r.random() < 0.2:
        mkfs.append(f"-i {r.choice([4096, 8192, 65536])}")
    if r.random() < 0.2:
        mkfs.append(f"-m {r.choice([0, 1, 10])}")
    mount = ["commit=9999"]
    for opt, p in (("nodelalloc", 0.15), ("dioread_lock", 0.15), ("noauto_da_alloc", 0.1), ("stripe=24", 0.08), ("stripe=64", 0.05),
                   ("nobarrier", 0.05)):
        if r.random() < p and not ("bigalloc" in feat and opt.startswith("stripe")):
            mount.append(opt)
    tun = []
    if r.random() < 0.25:
        tun.append(r.choice(["mb_order2_req=4", "mb_stream_req=64", "mb_stream_req=4", "mb_max_to_scan=30", "mb_min_to_scan=3", "mb_group_prealloc=64",
                             "mb_group_prealloc=1000", "mb_max_inode_prealloc=2", "mb_prefetch=2", "mb_prefetch_limit=1", "inode_goal=100"]))
    if feat:
        mkfs.append("-O " + ",".join(feat))
    smp = r.choice(["1", "1", "2", "4"])
    if smp != "1":
        size = "1G"  # near full the flusher helps out, on any CPU
    if "^has_journal" in feat:
        mount.remove("commit=9999")
    return {"SIZE": size, "MKFS": " ".join(mkfs), "MOUNT": ",".join(mount), "TUNABLES": " ".join(tun),
            "SMP": smp, "PIDMOD": str(r.randrange(16))}


class Mix:
    """Operations of all kinds on files that stay open for a while."""

    def __init__(self, c):
        self.c, self.r = c, c.r
        self.ds, self.open, self.sizes, self.serial = [""], {}, {}, 0
        self.parallel = c.env["SMP"] != "1"  # the flusher runs on any CPU: no sync

    def join(self, d, name):
        return f"{d}/{name}" if d else name

    def mkdir(self):
        d = self.join(self.r.choice(self.ds), f"d{len(self.ds)}" + "x" * self.r.choice([0, 0, 10, 60]))
        self.c.op("mkdir", d)
        self.ds.append(d)

    def new(self):
        self.serial += 1
        p = self.join(self.r.choice(self.ds), f"f{self.serial}" + "y" * self.r.choice([0, 0, 5, 30, 120]))
        if self.sizes and self.r.random() < 0.1:
            p = self.r.choice(sorted(self.sizes))  # creat truncates it
        fd = f"n{self.serial}"
        self.c.op("creat", fd, p)
        self.open[fd] = p
        self.sizes[p] = 0
        return fd

    def reopen(self):
        if self.sizes:
            self.serial += 1
            fd, p = f"n{self.serial}", self.r.choice(sorted(self.sizes))
            self.c.op("open", fd, p, *(["direct"] if self.r.random() < 0.3 else []))
            self.open[fd] = p

    def close(self, fd=None):
        if self.open:
            fd = fd or self.r.choice(sorted(self.open))
            if self.parallel:
                self.c.op("fsync", fd)
            self.c.op("close", fd)
            del self.open[fd]

    def any(self):
        return self.r.choice(sorted(self.open)) if self.open else self.new()

    def write(self):
        fd = self.any()
        p = self.open[fd]
        s = self.sizes.get(p, 0)
        x = self.r.random()
        off = s if x < 0.6 else self.r.randrange(0, s + 1) if x < 0.85 else s + self.c.size(1, 4 * MB)
        n = self.c.size(1, self.r.choice([8 * KB, 64 * KB, 400 * KB, 3 * MB]))
        if self.r.random() < 0.4:
            off, n = off & ~4095, (n + 4095) & ~4095
        self.c.op("write", fd, off, n)
        self.sizes[p] = max(s, off + n)

    def fsync(self):
        self.c.op("fsync", self.any())

    def truncate(self):
        fd = self.any()
        p = self.open[fd]
        s = self.sizes.get(p, 0)
        n = self.r.choice([0, self.r.randrange(0, s + 1), s + self.c.size(1, MB)])
        self.c.op("ftruncate", fd, n)
        self.sizes[p] = n

    def fallocate(self):
        fd = self.any()
        p = self.open[fd]
        s = self.sizes.get(p, 0)
        mode = self.r.choice([0, 0, 1, 3, 3, 16, 17])
        off, n = self.r.randrange(0, s + 2 * MB), self.c.size(1, 4 * MB)
        if self.r.random() < 0.6:
            off, n = off & ~4095, (n + 4095) & ~4095
        self.c.op("fallocate", fd, mode, off, n)
        if not mode & 1:
            self.sizes[p] = max(s, off + n)

    def unlink(self):
        if self.sizes:
            p = self.r.choice(sorted(self.sizes))
            self.c.op("unlink", p)
            del self.sizes[p]

    def rename(self):
        if self.sizes:
            a = self.r.choice(sorted(self.sizes))
            b = self.r.choice(sorted(self.sizes)) if self.r.random() < 0.4 else self.join(self.r.choice(self.ds), f"r{self.serial}")
            self.serial += 1
            self.c.op("rename", a, b)
            self.sizes[b] = self.sizes.pop(a)
            for fd, p in self.open.items():
                if p == a:
                    self.open[fd] = b

    def rmdir(self):
        self.c.op("rmdir", self.r.choice(self.ds[1:] or ["nothing"]))

    def whole(self):
        fd = self.new()
        for _ in range(self.r.choice([1, 1, 2, 5])):
            s = self.sizes[self.open[fd]]
            n = self.c.size(1, self.r.choice([4 * KB, 64 * KB, 2 * MB]))
            self.c.op("write", fd, s, n)
            self.sizes[self.open[fd]] += n
        if self.r.random() < 0.3:
            self.c.op("fsync", fd)
        self.close(fd)

    def sync(self):
        if self.parallel:
            for fd in sorted(self.open):
                self.c.op("fsync", fd)
            return
        self.c.op("sync")
        self.c.op("sync")

    def remount(self):
        for fd in sorted(self.open):
            self.close(fd)
        self.c.op("remount")

    def cpu(self):
        self.c.cpu()


def mix(seed, **env):
    """Everything at once, on a random file system: for differences nobody thought of."""
    r = random.Random(f"mix {seed}")
    c = Case(seed, **mix_env(r))
    m = Mix(c)
    c.op("cpu", 0)
    weights = {"write": 12, "whole": 8, "new": 4, "reopen": 3, "close": 5, "fsync": 5, "truncate": 3, "fallocate": 3, "unlink": 4, "rename": 2,
               "mkdir": 1.5, "rmdir": 0.3, "sync": 0.6, "stat": 0.2, "remount": 0.15, "cpu": 1 if c.env["SMP"] != "1" else 0}
    for k in weights:  # each case has habits of its own
        weights[k] *= r.choice([0.2, 1, 1, 2, 4]) if k not in ("sync", "remount", "stat") else 1
    names, w = list(weights), list(weights.values())
    for _ in range(r.choice([200, 500, 900])):
        k = c.r.choices(names, w)[0]
        if k == "stat":
            c.op("stat")
        else:
            getattr(m, k)()
        if len(m.open) > 20:
            m.close()
    m.sync()
    return c


def churn(seed, rounds=10, n=10000, **env):
    """Rounds of small creates, after each of which half of all files go: 390,000 operations, for speed."""
    c = Case(seed, SIZE="2G", **env)
    ds = c.dirs(100)
    names = []
    for _ in range(rounds):
        for _ in range(n):
            p = c.path(ds[c.r.randrange(100)])
            c.op("creat", "x", p)
            c.op("write", "x", 0, c.size(1, 32 * KB))
            c.op("close", "x")
            names.append(p)
        c.r.shuffle(names)
        for _ in range(len(names) // 2):
            c.op("unlink", names.pop())
        c.op("sync")
    return c


FAMILIES = {
    "small-files": small_files,
    "untar": untar,
    "streams": streams,
    "full": full,
    "holes": holes,
    "truncates": truncates,
    "fallocates": fallocates,
    "directories": directories,
    "cold": cold,
    "tunable": tunable,
    "bigalloc": with_env(small_files, MKFS="-b 4096 -O bigalloc -C 16384"),
    "bigalloc-streams": with_env(streams, MKFS="-b 4096 -O bigalloc -C 65536"),
    "stripe": with_env(streams, MKFS="-b 4096 -E stride=16,stripe_width=64"),
    "stripe-small": with_env(small_files, MKFS="-b 4096 -E stride=16,stripe_width=128"),
    "nodelalloc": with_env(truncates, MOUNT="commit=9999,nodelalloc"),
    "block-1k": with_env(small_files, MKFS="-b 1024"),
    "block-1k-full": with_env(full, MKFS="-b 1024"),
    "no-flex": with_env(small_files, MKFS="-b 4096 -O ^flex_bg"),
    "indirect": with_env(truncates, MKFS="-b 4096 -O ^extent,^64bit,^huge_file"),
    "groups-small": with_env(full, MKFS="-b 4096 -g 2048"),
    "mix": mix,
    "churn": churn,
}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in FAMILIES:
        sys.exit(f"usage: gen.py FAMILY SEED CASE_DIR\nfamilies: {' '.join(FAMILIES)}")
    FAMILIES[sys.argv[1]](int(sys.argv[2])).save(sys.argv[3])
