"""The database: engine, unit of work, settings, migrations."""
