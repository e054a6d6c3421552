# Prints for ever what folders hold, and what their disks and that of the root filesystem have left.
# Arguments: the folders. GNU's tools and busybox's both understand it.
# Counting takes a tenth of the time, or 30 s in a minute.
exec 2>/dev/null
newline='
'
uptime() { read -r seconds rest < /proc/uptime; echo "${seconds%.*}${seconds#*.}"; }  # in hundredths of a second
while :; do stat -f -c 'left %n %a %S %d %c' "$@" /; sleep 1; done &
while :; do
    began=$(uptime)
    counted=$(timeout 30 du -skxc "$@")
    pause=$((2 + 9 * ($(uptime) - began) / 100))
    last=${counted##*"$newline"}
    case $last in
        *total) echo "held ${last%%[!0-9]*}";;
        *) pause=2;;
    esac
    if [ "$pause" -gt 30 ]; then pause=30; fi
    sleep "$pause"
done
