mkdir -p /usr/share/wheel-factory
tee /work/manifest >/usr/share/wheel-factory/prepared
