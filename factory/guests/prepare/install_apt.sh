apt-get -q update
if [ -z "$(apt-get indextargets --format '$(URI)')" ]; then echo 'this image has no package sources'; exit 1; fi
# Debian's JDKs cannot be configured without this folder, which images without manual pages lack.
mkdir -p /usr/share/man/man1
apt-get -q install "$@"
