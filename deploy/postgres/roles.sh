#!/bin/bash
# Runs once, when the database folder is made: the program's role owns one database and is no superuser;
# the role of the backups may read everything and replicate, nothing else.
set -euo pipefail
: "${MARKET_PASSWORD:?}" "${BACKUP_PASSWORD:?}"
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
    --set market="$MARKET_PASSWORD" --set backup="$BACKUP_PASSWORD" <<'SQL'
CREATE ROLE market LOGIN PASSWORD :'market';
CREATE DATABASE market OWNER market TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE market FROM PUBLIC;
CREATE ROLE backup LOGIN REPLICATION PASSWORD :'backup';
GRANT pg_read_all_data TO backup;
GRANT CONNECT ON DATABASE market TO backup;
SQL
echo "host replication backup samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
