SSL_CA_CERT_FILE=${SSL_CERT_FILE:-} apk add --no-cache --no-progress "$@"
