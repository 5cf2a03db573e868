#!/bin/bash
# Puts a backup back into an empty folder.
#   restore.sh                          to the last transaction that was streamed
#   restore.sh '2026-11-24 10:15:00+00' to the state just before that moment, to undo a mistake
# BACKUPS is the folder of backup.sh, TARGET the empty data folder of the server. Start the server on TARGET afterwards:
# it replays the WAL, then serves. A damaged backup is refused, loudly, before anything is written.
set -euo pipefail
: "${BACKUPS:?the folder of backup.sh}" "${TARGET:?an empty folder}"
until=${1:-}
umask 077

fail() { printf '%s\n' "$*" >&2; exit 1; }

if [ -d "$TARGET" ] && [ -n "$(ls -A "$TARGET")" ]; then
    fail "$TARGET is not empty; nothing was done"
fi
limit=99999999T999999Z
if [ -n "$until" ]; then
    limit=$(date -u -d "$until" +%Y%m%dT%H%M%SZ) || fail "not a moment: $until"
fi
chosen=""
for path in "$BACKUPS"/base/[0-9]*; do
    [ -d "$path" ] || continue
    name=${path##*/}
    if [[ "$name" < "$limit" ]]; then chosen=$path; fi
done
[ -n "$chosen" ] || fail "no base backup before ${until:-now} in $BACKUPS/base"

pg_verifybackup --quiet --no-parse-wal "$chosen" || fail "the backup $chosen is damaged; nothing was written"
mkdir -p "$TARGET/pg_wal" "$TARGET/streamed_wal"
chmod 0700 "$TARGET"
tar --extract --gzip --file "$chosen/base.tar.gz" --directory "$TARGET"
tar --extract --gzip --file "$chosen/pg_wal.tar.gz" --directory "$TARGET/pg_wal"
# The segment that was being written when the stream ended is named .partial.
for segment in "$BACKUPS"/wal/*; do
    [ -f "$segment" ] || continue
    name=${segment##*/}
    cp "$segment" "$TARGET/streamed_wal/${name%.partial}"
done
{
    printf "restore_command = 'cp streamed_wal/%%f %%p'\n"
    printf "recovery_target_timeline = 'latest'\n"
    if [ -n "$until" ]; then
        printf "recovery_target_time = '%s'\n" "$until"
        printf "recovery_target_inclusive = off\n"
        printf "recovery_target_action = promote\n"
    fi
} >>"$TARGET/postgresql.auto.conf"
touch "$TARGET/recovery.signal"
printf 'restored %s into %s; start the server, then remove %s\n' "${chosen##*/}" "$TARGET" "$TARGET/streamed_wal"
