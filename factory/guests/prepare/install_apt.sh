apt-get -q update
if [ -z "$(apt-get indextargets --format '$(URI)')" ]; then echo 'this image has no package sources'; exit 1; fi
apt-get -q install "$@"
