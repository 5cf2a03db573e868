#!/usr/bin/env bash
# Restores the newest base backup into an empty data folder and replays the log.
# Usage: restore.sh BACKUPS_FOLDER WAL_FOLDER EMPTY_DATA_FOLDER ['2026-11-24 12:00:00+00']
set -euo pipefail

backups=$1 wal=$2 data=$3 until_time=${4:-}
newest=$(find "$backups/base" -mindepth 1 -maxdepth 1 -type d ! -name '*.part' | sort | tail -n 1)
[ -n "$newest" ] || { echo "no base backup in $backups/base" >&2; exit 1; }
[ -z "$(ls -A "$data" 2>/dev/null)" ] || { echo "$data is not empty" >&2; exit 1; }

mkdir -p "$data/pg_wal"
tar -xzf "$newest/base.tar.gz" -C "$data"
tar -xzf "$newest/pg_wal.tar.gz" -C "$data/pg_wal" 2>/dev/null || tar -xf "$newest/pg_wal.tar" -C "$data/pg_wal"
chmod 700 "$data"
{
    echo "restore_command = 'cp $wal/%f %p'"
    [ -z "$until_time" ] || echo "recovery_target_time = '$until_time'"
    [ -z "$until_time" ] || echo "recovery_target_action = 'promote'"
} >> "$data/postgresql.auto.conf"
touch "$data/recovery.signal"
echo "restored $newest; start PostgreSQL on $data and run: make doctor"
