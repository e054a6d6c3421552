dpkg-query --show --showformat '${Package}:${Architecture}=${Version}\n'
cd /work/apt/cache/archives && find . -name '*.deb' -exec sha256sum {} + | LC_ALL=C sort -k 2
