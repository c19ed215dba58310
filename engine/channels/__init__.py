"""The channels by which letters leave the outbox, one file each; `registry` says which this installation has."""
