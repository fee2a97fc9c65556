#!/bin/sh
# A base image with Python and nothing to install things with, for machines that reach no registry.
# usage: make_base.sh [IMAGE]; needs Debian with mmdebstrap, podman and root; takes about 5 s.
# Reproducible: the same packages give the same archive.
set -eu
umask 022  # else nobody but root could enter the folders that are made here
image=${1:-localhost/driftline-base}
w=$(mktemp -d /tmp/mkbase.XXXXXX); trap 'rm -rf "$w"' EXIT
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1700000000}
# NB variant "extract" unpacks only: no maintainer scripts and NO --customize-hook is run, so finish by hand below
mmdebstrap --quiet --variant=extract --format=directory \
  --aptopt='Apt::Install-Recommends "false"' \
  --include=base-files,base-passwd,netbase,tzdata,libc6,libc-bin,dash,coreutils,libstdc++6,libgcc-s1,zlib1g,libbz2-1.0,liblzma5,libffi8,libexpat1,libuuid1,libsqlite3-0,libssl3,libcrypt1,libpython3.11-minimal,libpython3.11-stdlib,python3.11-minimal,python3.11,ca-certificates \
  bookworm "$w/r" >/dev/null
cd "$w/r"
[ -e bin/sh ] || ln -s dash bin/sh
ln -sf python3.11 usr/bin/python3; ln -sf python3.11 usr/bin/python
cp usr/share/base-passwd/passwd.master etc/passwd; cp usr/share/base-passwd/group.master etc/group
echo 'bentoml:x:1034:1034:bentoml:/tmp:/usr/sbin/nologin' >> etc/passwd; echo 'bentoml:x:1034:' >> etc/group
mkdir -p etc/ssl/certs
cat usr/share/ca-certificates/mozilla/*.crt > etc/ssl/certs/ca-certificates.crt
printf 'passwd: files\ngroup: files\nhosts: files dns\n' > etc/nsswitch.conf
[ -f var/lib/dpkg/available ] && grep -E '^(Package|Version):' var/lib/dpkg/available > usr/share/driftline-base.packages || true
rm -rf usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/lintian usr/share/ca-certificates usr/share/perl5 \
  usr/share/bug usr/share/menu usr/share/applications usr/share/pixmaps usr/share/bash-completion usr/share/zsh usr/share/debconf usr/share/dpkg \
  var/cache/* var/lib/apt var/lib/dpkg var/log/* etc/apt etc/dpkg etc/cron.daily etc/resolv.conf etc/hostname
rm -f usr/bin/dpkg* usr/sbin/dpkg* usr/bin/deb* usr/bin/perl* bin/tar usr/bin/update-alternatives usr/bin/openssl
( cd usr/lib/python3.11; rm -rf ensurepip idlelib lib2to3 turtledemo pydoc_data test distutils unittest/test tkinter config-3.11* EXTERNALLY-MANAGED )
find usr/lib/x86_64-linux-gnu/gconv -name '*.so' ! -name 'UTF*' ! -name 'UNICODE*' ! -name 'ISO8859-1.so' -delete 2>/dev/null || true
rm -f usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache
find . -xdev -name __pycache__ -type d -prune -exec rm -rf {} +
ldconfig -r . ; rm -f var/cache/ldconfig/aux-cache
mkdir -p tmp app; chmod 1777 tmp
chroot . /usr/bin/python3 -B -c 'import ssl,sqlite3,ctypes,lzma,bz2,zlib,uuid,hashlib,asyncio,multiprocessing,zoneinfo; print(ssl.OPENSSL_VERSION)' >&2
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --numeric-owner --format=gnu -cf "$w/base.tar" .
sha256sum "$w/base.tar" >&2
podman import -q -c 'ENV LANG=C.UTF-8' -c 'ENV LC_ALL=C.UTF-8' -c 'ENV PYTHONUNBUFFERED=1' -c 'ENV PYTHONDONTWRITEBYTECODE=1' \
  -c 'ENV PATH=/usr/local/bin:/usr/bin:/bin' "$w/base.tar" "$image"
