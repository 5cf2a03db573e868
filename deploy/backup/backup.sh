#!/bin/bash
# Backups that are read back before they count.
#   backup.sh loop    stream the WAL all the time; a base backup every night, a dump every Sunday (what the container does)
#   backup.sh once    one base backup and one dump now
#   backup.sh check   fail when the newest base backup is older than 26 hours or the WAL is not being streamed
# Connection: PGHOST, PGUSER, PGPASSWORD, PGDATABASE of libpq. BACKUPS is the folder, KEEP_DAYS how long a base is kept.
# Copy the folder to another house every hour: a backup beside its database is none.
set -euo pipefail
: "${BACKUPS:?where the backups go}" "${KEEP_DAYS:=14}"
readonly SLOT=backup
readonly NIGHT=02
umask 077
mkdir -p "$BACKUPS/base" "$BACKUPS/wal" "$BACKUPS/dump"

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"; }

base() {
    local name part
    part="$BACKUPS/base/.new.part"
    rm -rf "$part"
    pg_basebackup --pgdata "$part" --format tar --gzip --wal-method stream --checkpoint fast \
        --manifest-checksums SHA256 --no-password
    pg_verifybackup --quiet --no-parse-wal "$part"
    sync
    name=$(date -u +%Y%m%dT%H%M%SZ) # its end: any later moment can be restored from here
    mv "$part" "$BACKUPS/base/$name"
    say "base backup $name: $(du -sh "$BACKUPS/base/$name" | cut -f1)"
}

dump() {
    local name
    name=$(date -u +%Y%m%dT%H%M%SZ)
    pg_dump --format custom --no-password --file "$BACKUPS/dump/.part"
    pg_restore --list "$BACKUPS/dump/.part" >/dev/null
    mv "$BACKUPS/dump/.part" "$BACKUPS/dump/$name.dump"
    say "dump $name"
}

# Removes what no base that is kept can need.
prune() {
    find "$BACKUPS/base" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -mtime "+$KEEP_DAYS" -exec rm -rf {} +
    find "$BACKUPS/dump" -name '*.dump' -mtime +56 -delete
    local oldest first
    oldest=$(find "$BACKUPS/base" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' | sort | head -n 1)
    [ -n "$oldest" ] || return 0
    first=$(tar --extract --gzip --to-stdout --file "$oldest/base.tar.gz" backup_label \
        | sed -n 's/^START WAL LOCATION: .* (file \([0-9A-F]\{24\}\))$/\1/p')
    [ -z "$first" ] || pg_archivecleanup "$BACKUPS/wal" "$first"
}

stream() {
    while true; do
        if pg_receivewal --slot "$SLOT" --create-slot --if-not-exists --no-password; then
            pg_receivewal --directory "$BACKUPS/wal" --slot "$SLOT" --synchronous --no-loop --no-password || true
        fi
        say "the stream of WAL has ended; again in 5 s"
        sleep 5
    done
}

check() {
    [ -n "$(find "$BACKUPS/base" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -mmin -1560)" ] \
        || { say "no base backup of the last 26 hours"; return 1; }
    [ "$(psql -XAtc "SELECT active FROM pg_replication_slots WHERE slot_name = '$SLOT'")" = t ] \
        || { say "the WAL is not being streamed"; return 1; }
}

loop() {
    trap 'trap - TERM INT; kill 0' TERM INT
    stream &
    if [ -z "$(ls "$BACKUPS/base")" ]; then
        { base && dump; } || say "the first backup failed"
    fi
    local done_on=""
    while true; do
        sleep 60 &
        wait $!
        if [ "$(date -u +%H)" = "$NIGHT" ] && [ "$done_on" != "$(date -u +%F)" ]; then
            if base && prune; then done_on=$(date -u +%F); else say "the base backup failed; again in a minute"; fi
            if [ "$(date -u +%u)" = 7 ]; then dump || say "the dump failed"; fi
        fi
    done
}

case "${1:-}" in
    loop) loop ;;
    once) base && dump && prune ;;
    check) check ;;
    *) sed -n '2,7p' "$0" >&2; exit 2 ;;
esac
