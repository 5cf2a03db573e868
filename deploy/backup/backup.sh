#!/usr/bin/env bash
# Every night a base backup that is verified, every Sunday a dump in the portable format; kept 14 and 56 days.
# The write-ahead log in /wal fills the minutes between: copy it off the host with the rest of /backups.
set -euo pipefail

host=postgres
export PGPASSWORD="$POSTGRES_PASSWORD"
mkdir -p /backups/base /backups/dump

while true; do
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
    target="/backups/base/$stamp"
    pg_basebackup -h "$host" -U "$POSTGRES_USER" -D "$target.part" -Ft --compress=server-gzip -c fast --manifest-checksums=SHA256
    pg_verifybackup -n -F t "$target.part"
    mv "$target.part" "$target"
    if [ "$(date -u +%u)" = 7 ]; then
        pg_dump -h "$host" -U "$POSTGRES_USER" -Fc -f "/backups/dump/$stamp.part" "$POSTGRES_DB"
        mv "/backups/dump/$stamp.part" "/backups/dump/$stamp.dump"
    fi
    find /backups/base -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} +
    find /backups/dump -type f -mtime +56 -delete
    find /wal -type f -mtime +15 -delete
    sleep $((86400 - $(date -u +%s) % 86400 + 3600))
done
