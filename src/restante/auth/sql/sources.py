"""Sources by SQL, as the settings name them."""

from restante.auth.asking import Finder
from restante.auth.options import AskingOptions
from restante.auth.sql.options import SqlOptions
from restante.auth.sql.sqlite import SqliteAccounts


def make_source(options: SqlOptions, asking: AskingOptions) -> Finder:
    """Return the source of one database."""
    if options.path is not None:
        return SqliteAccounts(options.path, options.query, asking.at_once)
    # What it takes is not installed everywhere.
    from restante.auth.sql.postgresql import PostgresqlAccounts

    return PostgresqlAccounts(
        options.url,
        options.query,
        options.password_file,
        asking.at_once,
        asking.deadline_seconds,
    )
