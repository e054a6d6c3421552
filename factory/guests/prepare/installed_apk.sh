sed -n '/^[CPV]:/p' /lib/apk/db/installed
