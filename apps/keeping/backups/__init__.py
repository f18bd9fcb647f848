"""Backups: a dump of the database, a list of every file it speaks of, copies of those, and the way back.

DIR/2026-11-26T030000Z/manifest.json        what the backup holds; written last
                       database.dump        pg_dump's custom format, or database.sqlite3
                       files.jsonl.gz       store, key, bytes and SHA-256 of every file, a line each
DIR/files/sha256/ab/ab12…                   copies, shared by all backups in DIR
DIR/files/unsummed/STORE/KEY                those of which the database knows no sum
"""
