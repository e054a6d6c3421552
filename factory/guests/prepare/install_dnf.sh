dnf --assumeyes --setopt=install_weak_deps=False --setopt=cachedir=/work/dnf \
    ${SSL_CERT_FILE:+"--setopt=sslcacert=$SSL_CERT_FILE"} install "$@"
