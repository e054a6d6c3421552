yum --assumeyes --setopt=cachedir=/work/yum ${SSL_CERT_FILE:+"--setopt=sslcacert=$SSL_CERT_FILE"} install "$@"
