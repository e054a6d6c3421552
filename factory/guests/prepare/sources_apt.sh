mkdir -p /work/apt/lists/partial /work/apt/cache/archives/partial /work/apt/log /work/apt/none
if ! cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -Eq '^[[:space:]]*(deb|URIs:)[[:space:]]'
then
    . /etc/os-release
    if [ "$ID" = debian ] && [ -n "$MIRROR" ]; then
        echo "deb $MIRROR $VERSION_CODENAME main" >/work/apt/sources.list
        echo 'Dir::Etc::sourcelist "/work/apt/sources.list"; Dir::Etc::sourceparts "/work/apt/none";' >>"$APT_CONFIG"
    fi
fi
